import { createServer } from 'node:https';
import tls from 'node:tls';
import { decode } from 'dns-packet';
import { DnsFraming, framed } from '../../src/dialer/dns-framing.ts';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { Authority } from '../../src/server/pki.ts';
import type { DnsScript } from './dns-server.ts';

/** The name in the servers' certificate. */
export const SNI = 'dns.test';

/** DoT and DoH servers that follow a script, behind one end of a tunnel. */
export interface SecureDnsServer {
  /** `dot`, `http/1.1`: what each connection spoke. */
  readonly connections: string[];
  readonly sockets: tls.TLSSocket[];
  /** Names, in the order in which they were asked for. */
  readonly names: string[];
}

export async function secureDnsServer(
  dialer: TunDialer,
  authority: Authority,
  script: DnsScript,
): Promise<SecureDnsServer> {
  const { certPem: cert, keyPem: key } = await authority.issue({
    commonName: SNI,
    purpose: 'server',
  });
  const server: SecureDnsServer = { connections: [], sockets: [], names: [] };
  const answers = (bytes: Buffer, port: number): readonly Buffer[] => {
    const query = decode(bytes);
    const [question] = query.questions ?? [];
    if (question === undefined) return [];
    const earlier = server.names.push(question.name.toLowerCase()) - 1;
    return script({ transport: 'tcp', query, question, bytes, port, earlier });
  };
  const note = (socket: tls.TLSSocket) => {
    server.connections.push(String(socket.alpnProtocol));
    server.sockets.push(socket);
    socket.on('error', () => {});
  };

  const dot = tls.createServer({ cert, key, ALPNProtocols: ['dot'] }, (socket) => {
    note(socket);
    const framing = new DnsFraming();
    socket.on('data', (chunk: Buffer) => {
      framing.push(chunk);
      for (let query = framing.take(); query; query = framing.take()) {
        // In two pieces, as streams may be cut.
        for (const bytes of answers(query, 853).map(framed)) {
          socket.write(bytes.subarray(0, 3));
          socket.write(bytes.subarray(3));
        }
      }
    });
  });
  dialer.listen({ port: 853 }, (socket) => dot.emit('connection', socket));

  const doh = createServer({ cert, key }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const isRight =
      request.method === 'POST' &&
      request.url === '/dns-query' &&
      request.headers['content-type'] === 'application/dns-message';
    const [answer] = isRight ? answers(Buffer.concat(chunks), 443) : [];
    if (answer === undefined) response.writeHead(400).end();
    else response.writeHead(200, { 'content-type': 'application/dns-message' }).end(answer);
  });
  doh.on('secureConnection', note);
  dialer.listen({ port: 443 }, (socket) => doh.emit('connection', socket));
  return server;
}
