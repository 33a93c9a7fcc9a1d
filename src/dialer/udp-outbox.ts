import { IpAddress } from '../netstack/ip-address.ts';
import { DatagramQueue, MAX_SEND_QUEUE_COUNT, type Outgoing } from './datagram-queue.ts';
import { SocketError } from './socket-error.ts';
import type { TunnelScope } from './tunnel-scope.ts';
import type { UdpBinding } from './udp-binding.ts';
import type { SendArguments } from './udp-send-arguments.ts';

/**
 * What a UDP socket sends, on its way to the endpoint: it waits for a connection that is being
 * made, for a name, and for room in the tunnel.
 */
export class UdpOutbox {
  readonly queue: DatagramQueue = new DatagramQueue();
  readonly #scope: TunnelScope;
  readonly #binding: UdpBinding;
  readonly #onError: (error: Error) => void;
  /** What waits until the socket is connected; undefined when nothing has to. */
  #held: SendArguments[] | undefined;
  /** What waits for a connection or a name: no more of it than of what waits for room. */
  #waitingBytes = 0;
  #waitingCount = 0;

  /** @param onError hears what no callback was there for */
  constructor(scope: TunnelScope, binding: UdpBinding, onError: (error: Error) => void) {
    this.#scope = scope;
    this.#binding = binding;
    this.#onError = onError;
  }

  /** Whether the socket is being connected. */
  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** Keeps everything back until `release`. */
  hold(): void {
    this.#held = [];
  }

  /** The socket is connected, or cannot be. */
  release(error?: Error): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const datagram of held) {
      this.#wait(-1, datagram);
      if (error === undefined) this.send(datagram);
      else datagram.callback?.(error, 0);
    }
  }

  send(datagram: SendArguments): void {
    if (this.#held !== undefined) {
      if (this.#admit(datagram)) this.#held.push(datagram);
      return;
    }
    const { peer, family } = this.#binding;
    const { payload, callback, address = LOOPBACK[family] } = datagram;
    const port = peer?.port ?? datagram.port ?? 0;
    const to = peer?.address ?? IpAddress.parse(address);
    if (to !== undefined) {
      this.#place({ payload, to, port, callback });
      return;
    }
    if (!this.#admit(datagram)) return;
    this.resolve(address).then(
      (found) => {
        this.#wait(-1, datagram);
        this.#place({ payload, to: found, port, callback });
      },
      (error) => {
        this.#wait(-1, datagram);
        if (callback === undefined) this.#onError(error);
        else callback(error, 0);
      },
    );
  }

  /** The address of `host` in the socket's family. @throws DnsError; SocketError */
  async resolve(host: string = LOOPBACK[this.#binding.family]): Promise<IpAddress> {
    const { family } = this.#binding;
    const found = await this.#scope.resolver.lookup(host, { family });
    const address = IpAddress.parse(found[0]?.address ?? '');
    if (address?.family === family) return address;
    throw new SocketError('EADDRNOTAVAIL', 'send', { address: host });
  }

  /** There is room again, or another endpoint. */
  flush(): void {
    const { endpoint } = this.#binding;
    if (endpoint !== undefined) this.queue.flush(endpoint);
  }

  /** Whether `datagram` may wait; it is told what becomes of it otherwise. */
  #admit(datagram: SendArguments): boolean {
    const { payload, callback, address, port } = datagram;
    const tooMuch = this.#waitingBytes + payload.length > this.queue.limitBytes;
    if (!tooMuch && this.#waitingCount < MAX_SEND_QUEUE_COUNT) {
      this.#wait(1, datagram);
      return true;
    }
    const error = new SocketError('ENOBUFS', 'send', { address, port });
    if (callback !== undefined) process.nextTick(callback, error, 0);
    return false;
  }

  /** One datagram more waits, or one less. */
  #wait(change: 1 | -1, { payload }: SendArguments): void {
    this.#waitingBytes += change * payload.length;
    this.#waitingCount += change;
  }

  #place(datagram: Outgoing): void {
    const { endpoint } = this.#binding;
    if (endpoint !== undefined) this.queue.send(datagram, endpoint);
  }
}

const LOOPBACK = { 4: '127.0.0.1', 6: '::1' } as const;
