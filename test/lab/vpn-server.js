// A tundial server whose tunnel has a web server behind it (see pages.js); pings each client that
// joins, and tells all that happens in JSON lines.
//   node vpn-server.js PROFILE OPTIONS
// PROFILE: where the client's profile goes. OPTIONS: those of `createThrowAwayServer` as JSON, and
// `login: { username, password }` for the only user who may join.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { TunDialer } from '../../dist/dialer/tun-dialer.js';
import { createThrowAwayServer } from '../../dist/server/throw-away-server.js';
import { answer } from './pages.js';

const WEB_PORT = 8080;
const [profilePath, options = '{}'] = process.argv.slice(2);
const { login, ...chosen } = JSON.parse(options);
const tell = (event, detail = {}) => console.log(JSON.stringify({ event, ...detail }));

const authenticate = async ({ username, password, keyId }) => {
  const ok = username === login.username && password?.reveal().toString() === login.password;
  tell('authenticate', { username, keyId, ok });
  return { ok };
};
const { server, profile } = await createThrowAwayServer({
  ...chosen,
  ...(login === undefined ? {} : { authenticate }),
});
await server.listen();
const dialer = TunDialer.over(server);
const web = createServer(answer);
dialer.listen({ port: WEB_PORT }, (socket) => web.emit('connection', socket));

server.on('connect', async (peer) => {
  tell('connect', peer);
  for await (const { timeMs, error } of dialer.ping(peer.ipv4, { count: 1 })) {
    tell('pinged', { timeMs, error });
  }
});
server.on('disconnect', ({ error }) => tell('disconnect', { reason: error?.message }));
server.on('refused', ({ error }) => tell('refused', { reason: error.message }));

writeFileSync(profilePath, profile(server.address()));
process.once('SIGTERM', () => dialer.close());
tell('listening');
