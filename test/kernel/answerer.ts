import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../src/core/machine.ts';
import { Pump } from '../../src/core/pump.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { type PairedTun, tunPair } from '../sim/tun-pair.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { KernelTun } from './kernel-tun.ts';
import { NetworkSpace } from './network-space.ts';

/** The address of whoever answers; a server that reads nothing and says nothing is on its port. */
export const ANSWERER = '10.9.0.1';
export const SERVER_PORT = 80;
/** What comes later than this is no answer. */
const PATIENCE_MS = 60;
const SERVER = `require('net').createServer({ allowHalfOpen: true, pauseOnConnect: true }, (s) =>
  s.on('error', () => {})).listen(${SERVER_PORT}, () => console.log('ready'))`;
const QUIET: TcpEvents = { connected() {}, readable() {}, writable() {}, closed() {} };

/** A TCP/IP stack that gets packets one at a time, and what it says to each. */
export interface Answerer {
  ask(packet: Buffer): Promise<Buffer[]>;
  /** Lets time pass; what comes meanwhile is no answer. */
  wait(durationMs: Millis): Promise<void>;
  close(): Promise<void>;
}

/** The kernel of this machine. */
export class KernelAnswerer implements Answerer {
  readonly #space: NetworkSpace;
  readonly #tun: KernelTun;

  private constructor(space: NetworkSpace, tun: KernelTun) {
    this.#space = space;
    this.#tun = tun;
  }

  static async open(): Promise<KernelAnswerer> {
    const space = new NetworkSpace();
    try {
      const tun = await KernelTun.open(space, { addresses: [`${ANSWERER}/24`] });
      await space.start([process.execPath, '-e', SERVER]).until('ready');
      return new KernelAnswerer(space, tun);
    } catch (error) {
      await space.remove();
      throw error;
    }
  }

  async ask(packet: Buffer): Promise<Buffer[]> {
    this.#tun.write(packet);
    await sleep(PATIENCE_MS);
    return readAll(this.#tun);
  }

  async wait(durationMs: Millis): Promise<void> {
    await sleep(durationMs);
    readAll(this.#tun);
  }

  async close(): Promise<void> {
    this.#tun.close();
    await this.#space.remove();
  }
}

/** Our own stack, on a virtual clock. */
export class OurAnswerer implements Answerer {
  readonly #clock = new VirtualClock();
  readonly #tun: PairedTun;
  readonly #peer: PairedTun;

  constructor() {
    const { left, right } = tunPair();
    this.#tun = right;
    this.#peer = left;
    const pump = new Pump(this.#clock, (error) => {
      throw error;
    });
    const netstack = new Netstack({
      tun: right,
      ipv4: { address: ANSWERER, prefixLength: 24 },
      ipv6: undefined,
      random: new SeededRandom(1),
      clock: this.#clock,
      wake: pump.arm,
    });
    pump.add(netstack);
    netstack.listenTcp({ port: SERVER_PORT }, () => QUIET);
  }

  async ask(packet: Buffer): Promise<Buffer[]> {
    this.#tun.inject(packet);
    this.#clock.advance(PATIENCE_MS);
    return readAll(this.#peer);
  }

  async wait(durationMs: Millis): Promise<void> {
    this.#clock.advance(durationMs);
    readAll(this.#peer);
  }

  async close(): Promise<void> {}
}

/** The IPv4 packets that wait; the kernel speaks IPv6 to nobody, too. */
function readAll(tun: { read(): Buffer | undefined }): Buffer[] {
  const packets: Buffer[] = [];
  for (let packet = tun.read(); packet !== undefined; packet = tun.read()) {
    if (packet.readUInt8(0) >>> 4 === 4) packets.push(packet);
  }
  return packets;
}
