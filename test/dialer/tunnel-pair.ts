import { setImmediate as turn } from 'node:timers/promises';
import { Channel } from '../../src/core/channel.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { OvpnUsageError } from '../../src/core/errors.ts';
import type { Service } from '../../src/core/pump.ts';
import type { RandomSource } from '../../src/core/random.ts';
import { Workers } from '../../src/core/workers.ts';
import { TunDialer, type TunDialerOptions } from '../../src/dialer/tun-dialer.ts';
import type { TunnelEnd } from '../../src/dialer/tunnel-end.ts';
import type { TunDevice } from '../../src/model/tun-device.ts';
import type { TunnelInfo } from '../../src/model/tunnel-info.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import type { VirtualClock } from '../sim/virtual-clock.ts';

/** Addresses of the two ends. */
export const CLIENT = '10.8.0.2';
export const SERVER = '10.8.0.1';
export const CLIENT6 = 'fd00:8::2';
export const SERVER6 = 'fd00:8::1';

/** One end of a pipe of IP packets. */
class PipeTun implements TunDevice {
  readonly mtu = 1500;
  readonly #incoming: Channel<Buffer>;
  readonly #outgoing: Channel<Buffer>;

  constructor(incoming: Channel<Buffer>, outgoing: Channel<Buffer>) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  set onReadable(wake: () => void) {
    this.#incoming.onItem = wake;
  }

  set onWritable(wake: () => void) {
    this.#outgoing.onRoom = wake;
  }

  get writable(): boolean {
    return !this.#outgoing.full && !this.#outgoing.closed;
  }

  get closed(): boolean {
    return this.#outgoing.closed;
  }

  read(): Buffer | undefined {
    return this.#incoming.take();
  }

  write(packet: Buffer): boolean {
    return this.#outgoing.push(packet);
  }

  close(): void {
    this.#outgoing.close();
  }
}

/** A tunnel end without a tunnel: a pipe, and a pump that runs what is attached. */
export class PipeEnd implements TunnelEnd {
  readonly tun: TunDevice;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly info: TunnelInfo;
  readonly ended: Promise<Error | undefined>;
  readonly #workers: Workers;
  #attached = false;

  constructor(tun: TunDevice, clock: Clock, random: RandomSource, info: TunnelInfo) {
    this.tun = tun;
    this.clock = clock;
    this.random = random;
    this.info = info;
    this.#workers = new Workers(clock);
    this.ended = this.#workers.done;
  }

  attach(service: Service): void {
    if (this.#attached) throw new OvpnUsageError('claimed already', 'test');
    this.#attached = true;
    this.#workers.start(service);
  }

  arm(): void {
    this.#workers.pump.arm();
  }

  /** The tunnel breaks. */
  fail(error: Error): void {
    this.#workers.fail(error);
    this.tun.close();
  }

  async close(): Promise<void> {
    this.#workers.stop();
    this.tun.close();
  }
}

export interface PairOptions {
  readonly clock?: Clock;
  /** Options of the client's dialer. Its DNS server is the other end by default. */
  readonly client?: TunDialerOptions;
  /** Replaces fields of the client's tunnel info. */
  readonly info?: Partial<TunnelInfo>;
}

export interface TunnelPair extends AsyncDisposable {
  readonly client: TunDialer<PipeEnd>;
  readonly server: TunDialer<PipeEnd>;
}

/** Two dialers, joined by a pipe. */
export function tunnelPair({ clock = systemClock, client, info }: PairOptions = {}): TunnelPair {
  const up = new Channel<Buffer>('up', 256);
  const down = new Channel<Buffer>('down', 256);
  const { dnsServers = [SERVER] } = info ?? {};
  const nameServers = dnsServers.map((address) => ({ address }));
  const near = { ...tunnelInfo(CLIENT, CLIENT6), dnsServers, nameServers, ...info };
  const far = tunnelInfo(SERVER, SERVER6);
  const clientEnd = new PipeEnd(new PipeTun(down, up), clock, new SeededRandom(1), near);
  const serverEnd = new PipeEnd(new PipeTun(up, down), clock, new SeededRandom(2), far);
  const pair = { client: TunDialer.over(clientEnd, client), server: TunDialer.over(serverEnd) };
  return {
    ...pair,
    [Symbol.asyncDispose]: async () => {
      await pair.client.close();
      await pair.server.close();
    },
  };
}

function tunnelInfo(ipv4: string, ipv6: string): TunnelInfo {
  return {
    ipv4: { address: ipv4, prefixLength: 24 },
    ipv6: { address: ipv6, prefixLength: 64 },
    gateway: SERVER,
    gateway6: SERVER6,
    routes: [],
    redirect: undefined,
    blockIpv4: false,
    blockIpv6: false,
    dnsServers: [],
    nameServers: [],
    searchDomains: [],
    mtu: 1500,
    mss: 1400,
    cipher: 'AES-256-GCM',
    peerId: 0,
    tlsVersion: 'TLSv1.3',
    remoteAddress: '192.0.2.1',
    remotePort: 1194,
    protocol: 'udp',
  };
}

/** Lets virtual time pass until `promise` has settled; at most ten minutes of it. */
export async function settled<T>(promise: Promise<T>, clock: VirtualClock): Promise<T> {
  let done = false;
  const mark = () => {
    done = true;
  };
  promise.then(mark, mark);
  const deadline = clock.now() + 600_000;
  while (!done && clock.now() < deadline) {
    // Streams and promises run on real turns of the event loop; time waits for them.
    for (let quiet = 0; quiet < 3 && !done; quiet += 1) {
      await turn();
      if (clock.busy) quiet = -1;
      clock.settle();
    }
    if (!done) clock.step();
  }
  if (!done) throw new Error('expected the promise to settle within ten minutes');
  return promise;
}
