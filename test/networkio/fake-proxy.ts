import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  type AddressInfo,
  connect,
  createServer,
  isIPv6,
  type Server,
  type Socket,
} from 'node:net';
import { Secret } from '../../src/core/secret.ts';
import type { OuterProxy } from '../../src/model/profile.ts';

/** A TCP server on loopback that ends with all its connections. */
export class Listener {
  readonly server: Server;
  readonly sockets = new Set<Socket>();

  constructor(onSocket: (socket: Socket) => void | Promise<void>) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      // A peer that goes away in the middle is no failure here.
      Promise.resolve(onSocket(socket)).catch(() => {});
    });
  }

  static async open(
    onSocket: (socket: Socket) => void | Promise<void>,
    host = '127.0.0.1',
  ): Promise<Listener> {
    const listener = new Listener(onSocket);
    listener.server.listen(0, host);
    await once(listener.server, 'listening');
    return listener;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get host(): string {
    return (this.server.address() as AddressInfo).address;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The settings for the proxy at `listener`, without a user. */
export function proxyAt(
  { host, port }: { host: string; port: number },
  more: Partial<OuterProxy> & Pick<OuterProxy, 'kind'>,
): OuterProxy {
  return { host, port, credentials: undefined, auth: 'none', headers: [], ...more };
}

export function user(username: string, password: string) {
  return { username, password: new Secret(password) };
}

/** What a client of an HTTP proxy sent, up to the empty line. */
export interface HttpAsked {
  readonly line: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Reads the head of a request, which must end where the chunk ends. */
export async function readHead(socket: Socket): Promise<HttpAsked> {
  let text = '';
  while (!text.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString('latin1');
  }
  socket.pause();
  const [line = '', ...rest] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  const fields = new Map(
    rest.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }),
  );
  return { line, fields };
}

/** An honest HTTP proxy: leads where it is asked to, once `admit` says so. */
export function honestHttpProxy(
  admit: (asked: HttpAsked, count: number) => string | undefined = () => undefined,
  host?: string,
): Promise<Listener & { asked: HttpAsked[] }> {
  const asked: HttpAsked[] = [];
  return Listener.open(async (socket) => {
    const head = await readHead(socket);
    asked.push(head);
    const refusal = admit(head, asked.length);
    if (refusal !== undefined) {
      socket.end(refusal);
      return;
    }
    const { hostname, port } = new URL(`http://${head.line.split(' ')[1]}`);
    join(socket, hostname.replace(/^\[|\]$/g, ''), Number(port || 80), () => {
      socket.write('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n');
    });
  }, host).then((listener) => Object.assign(listener, { asked }));
}

function join(socket: Socket, host: string, port: number, connected: () => void): void {
  const onward = connect(port, host, () => {
    connected();
    socket.pipe(onward).pipe(socket);
    socket.resume();
  });
  onward.on('error', () => socket.destroy());
  onward.on('close', () => socket.destroy());
  socket.on('close', () => onward.destroy());
}

/** Reads exactly `length` bytes. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    await once(socket, 'readable');
  }
}

export interface SocksAsked {
  readonly methods: readonly number[];
  readonly signIn: string | undefined;
  readonly command: number;
  readonly type: number;
  readonly host: string;
  readonly port: number;
}

/** An honest SOCKS5 proxy for TCP and UDP; with `password`, only for the user of that sign-in. */
export class SocksProxy {
  readonly asked: SocksAsked[] = [];
  readonly relays: UdpSocket[] = [];
  listener: Listener | undefined;
  readonly #signIn: string | undefined;
  /** What the relay says of its address. */
  readonly #relayHost: string;

  constructor({ signIn, relayHost = '0.0.0.0' }: { signIn?: string; relayHost?: string } = {}) {
    this.#signIn = signIn;
    this.#relayHost = relayHost;
  }

  static async open(options?: { signIn?: string; relayHost?: string }, host?: string) {
    const proxy = new SocksProxy(options);
    const listener = await Listener.open((socket) => proxy.#serve(socket), host);
    proxy.listener = listener;
    return Object.assign(proxy, { host: listener.host, port: listener.port });
  }

  async close(): Promise<void> {
    await this.listener?.close();
    for (const relay of this.relays) relay.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const [, count = 0] = await read(socket, 2);
    const methods = [...(await read(socket, count))];
    const wanted = this.#signIn === undefined ? 0 : 2;
    socket.write(Buffer.from([5, methods.includes(wanted) ? wanted : 0xff]));
    if (!methods.includes(wanted)) return;
    const signIn = wanted === 2 ? await this.#readSignIn(socket) : undefined;
    if (signIn !== this.#signIn) {
      socket.end(Buffer.from([1, 1]));
      return;
    }
    if (wanted === 2) socket.write(Buffer.from([1, 0]));
    const [, command = 0, , type = 0] = await read(socket, 4);
    const length = type === 1 ? 4 : type === 4 ? 16 : ((await read(socket, 1))[0] ?? 0);
    const address = await read(socket, length);
    const host = type === 3 ? address.toString() : ipText(address);
    const port = (await read(socket, 2)).readUInt16BE();
    this.asked.push({ methods, signIn, command, type, host, port });
    if (command === 3) await this.#relay(socket);
    else join(socket, host, port, () => socket.write(Buffer.from('05000001000000000000', 'hex')));
  }

  async #readSignIn(socket: Socket): Promise<string> {
    const [, userLength = 0] = await read(socket, 2);
    const username = await read(socket, userLength);
    const [passwordLength = 0] = await read(socket, 1);
    return `${username}:${await read(socket, passwordLength)}`;
  }

  /** One client; what comes from others goes to it under their address. */
  async #relay(control: Socket): Promise<void> {
    const own = control.localAddress ?? '';
    const inside = createSocket(isIPv6(own) ? 'udp6' : 'udp4').bind(0, own);
    const outside = createSocket(isIPv6(own) ? 'udp6' : 'udp4').bind(0, own);
    this.relays.push(inside, outside);
    await Promise.all([once(inside, 'listening'), once(outside, 'listening')]);
    let client: { address: string; port: number } | undefined;
    inside.on('message', (datagram, from) => {
      client = from;
      const size = datagram[3] === 4 ? 16 : 4;
      const port = datagram.readUInt16BE(4 + size);
      outside.send(datagram.subarray(6 + size), port, ipText(datagram.subarray(4, 4 + size)));
    });
    outside.on('message', (packet, from) => {
      if (client === undefined) return;
      inside.send(Buffer.concat([datagramHeader(from), packet]), client.port, client.address);
    });
    const bound = datagramHeader({ address: this.#relayHost, port: inside.address().port });
    control.write(Buffer.concat([Buffer.from([5]), bound.subarray(1)]));
    control.resume();
  }
}

export function datagramHeader({ address, port }: { address: string; port: number }): Buffer {
  const bytes = isIPv6(address) ? ipv6Bytes(address) : address.split('.').map(Number);
  return Buffer.from([0, 0, 0, isIPv6(address) ? 4 : 1, ...bytes, port >> 8, port & 255]);
}

/** Of an address without zeros in its middle, but for `::`. */
function ipv6Bytes(address: string): number[] {
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const [before, after] = [groups(left), groups(right)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(
    ':',
  );
}
