import { createServer, type Server } from 'node:http';
import { decode, encode } from 'dns-packet';
import { TunDialer } from '../dialer/tun-dialer.ts';
import type { TunUdpSocket } from '../dialer/tun-udp-socket.ts';
import { createThrowAwayServer } from '../server/throw-away-server.ts';
import type { VpnServer } from '../server/vpn-server.ts';

/** The name that the demo's own DNS knows. */
export const DEMO_HOST = 'demo.tundial.test';

/** The page behind the tunnel. */
export const DEMO_PAGE = `This page came through an OpenVPN tunnel.

Both ends of it run in this process: the server that sent it, the client that
asked for it, and a TCP/IP stack for each. No root, no TUN device, no route of
this machine was touched.
`;

const ECHO_PORT = 7;
const DNS_PORT = 53;
const WEB_PORT = 80;
const TTL_SECONDS = 60;

/** An embedded server on loopback with a web page, a UDP echo and DNS behind it. */
export class DemoServer {
  /** The client's `.ovpn` text. */
  readonly profile: string;
  readonly #server: VpnServer;
  readonly #dialer: TunDialer;
  readonly #web: Server;

  private constructor(server: VpnServer, profile: string) {
    this.#server = server;
    this.profile = profile;
    this.#dialer = TunDialer.over(server);
    this.#web = createServer((_request, response) => {
      response.setHeader('content-type', 'text/plain; charset=utf-8').end(DEMO_PAGE);
    });
  }

  static async start(): Promise<DemoServer> {
    const { server, profile } = await createThrowAwayServer({
      pushes: ['dhcp-option DNS 10.8.0.1', 'dhcp-option DOMAIN tundial.test'],
    });
    await server.listen();
    const demo = new DemoServer(server, profile(server.address()));
    demo.#serve();
    return demo;
  }

  /** `udp 127.0.0.1 port 40000` */
  get address(): string {
    const { address, port } = this.#server.address();
    return `udp ${address} port ${port}`;
  }

  /** The server's address inside the tunnel. */
  get tunnelAddress(): string {
    return this.#server.info.ipv4?.address ?? '';
  }

  /** Sends a text to the echo port and gives what comes back. */
  async echo(dialer: TunDialer, text: string): Promise<string> {
    const socket = dialer.createSocket({ type: 'udp4' });
    try {
      return await new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('message', (message: Buffer) => resolve(message.toString()));
        socket.send(text, ECHO_PORT, this.tunnelAddress);
      });
    } finally {
      socket.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dialer.close();
  }

  #serve(): void {
    this.#dialer.listen({ port: WEB_PORT }, (socket) => this.#web.emit('connection', socket));
    const echo: TunUdpSocket = this.#dialer.createSocket({ type: 'udp4' });
    echo.on('message', (message, { address, port }) => echo.send(message, port, address));
    echo.bind(ECHO_PORT);
    const dns: TunUdpSocket = this.#dialer.createSocket({ type: 'udp4' });
    dns.on('message', (message, { address, port }) => {
      const answer = answerFor(message, this.tunnelAddress);
      if (answer !== undefined) dns.send(answer, port, address);
    });
    dns.bind(DNS_PORT);
  }
}

/** Answers an A question about {@link DEMO_HOST}; anything else does not exist. */
export function answerFor(message: Buffer, address: string): Buffer | undefined {
  const query = decode(message);
  const [question] = query.questions ?? [];
  if (question === undefined) return undefined;
  const known = question.name.toLowerCase() === DEMO_HOST;
  return encode({
    type: 'response',
    id: query.id ?? 0,
    flags: known ? AUTHORITATIVE : AUTHORITATIVE | NXDOMAIN,
    questions: [question],
    answers:
      known && question.type === 'A'
        ? [{ type: 'A', name: question.name, ttl: TTL_SECONDS, data: address }]
        : [],
  });
}

const AUTHORITATIVE = 0x0400;
const NXDOMAIN = 3;
