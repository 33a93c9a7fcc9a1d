// A server with a web page behind it, and a profile for its clients:  node server.js > client.ovpn
import { createServer } from 'node:http';
import { createThrowAwayServer, TunDialer } from '../src/index.ts';

const { server, profile } = await createThrowAwayServer({ port: 1194 });
await server.listen();
console.log(profile(server.address()));

const web = createServer((_request, response) => response.end('hello from inside\n'));
TunDialer.over(server).listen({ port: 80 }, (socket) => web.emit('connection', socket));
server.on('connect', ({ remoteAddress, ipv4 }) => console.error(`${remoteAddress} is ${ipv4}`));
