import { createServer } from 'node:http';
import { answerFor } from '../../src/cli/demo-server.ts';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { VpnServer } from '../../src/server/vpn-server.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

export const PAGE: Buffer = new SeededRandom(3).bytes(300_000);

/** A web server and a name server on the server's end of the tunnel. */
export function behindTunnel(dialer: TunDialer<VpnServer>): void {
  const web = createServer(({ url }, response) => {
    if (url === '/page') response.end(PAGE);
    else if (url === '/moved') response.writeHead(302, { location: '/page' }).end('elsewhere');
    else if (url === '/slow') response.writeHead(200).write('the beginning');
    else response.writeHead(404).end('not here');
  });
  dialer.listen({ port: 80 }, (socket) => web.emit('connection', socket));
  const dns = dialer.createSocket({ type: 'udp4' });
  dns.on('message', (message, { address, port }) => {
    const answer = answerFor(message, '10.8.0.1');
    if (answer !== undefined) dns.send(answer, port, address);
  });
  dns.bind(53);
}
