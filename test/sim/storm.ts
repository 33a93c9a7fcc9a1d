import { setImmediate as turn } from 'node:timers/promises';
import type { TunDevice } from '../../src/model/tun-device.ts';
import { resolveServerOptions } from '../../src/server/server-options.ts';
import { Session } from '../../src/session/session.ts';
import { clientSessionOptions } from '../../src/vpnclient/client-session.ts';
import { resolveClientOptions } from '../../src/vpnclient/options.ts';
import { SignIn } from '../../src/vpnclient/sign-in.ts';
import { ipv4Packet } from '../datachannel/fixtures.ts';
import { POISON, PoisonedLink } from './poisoned-link.ts';
import { SeededRandom } from './seeded-random.ts';
import { CLIENT, SERVER, type SimIdentity, type SimWrap, simIdentity } from './sim-identity.ts';
import { type LineOptions, simLine } from './sim-link.ts';
import { SimServer } from './sim-server.ts';
import { StormWire } from './storm-wire.ts';
import { VirtualClock } from './virtual-clock.ts';

const LINE: LineOptions = { delayMs: 5, jitterMs: 5, lossPercent: 8, duplicatePercent: 5 };
const QUIET_TURNS = 2;
const INNER_HEADER_BYTES = 20;

/** Bytes of inner packets: below {@link POISON}, and another one for each of so many sessions. */
const MARKS = 100;

interface Client {
  readonly number: number;
  readonly session: Session;
  readonly link: PoisonedLink;
  isUp: boolean;
}

/**
 * One client's address from which session after session is opened to one server, the last ones
 * still speaking, with buffers that are poison once they are used.
 */
export class Storm {
  readonly clock = new VirtualClock();
  readonly wire: StormWire;
  /** IP packets that arrived, and those that are not what was sent. */
  readonly inner = { received: 0, faults: 0 };
  readonly #identity: SimIdentity;
  readonly #random = new SeededRandom(1);
  readonly #server: SimServer;
  readonly #toServer: (datagram: Buffer) => void;
  readonly #clients: Client[] = [];
  #opened = 0;

  private constructor(wrap: SimWrap, identity: SimIdentity) {
    const { clock } = this;
    this.wire = new StormWire({ plain: wrap === 'none' });
    this.#identity = identity;
    this.#toServer = simLine(clock, 1, LINE, (datagram) => this.#server.receive(datagram));
    const toClient = simLine(clock, 2, LINE, (datagram) => {
      for (const { link } of this.#clients) link.deliver(datagram);
    });
    this.#server = new SimServer(
      resolveServerOptions({ ...identity.server, clock, random: this.#random }),
      (datagram) => {
        this.wire.fromServer(datagram);
        toClient(datagram);
      },
      (addresses, transmit) => new PoisonedLink(clock, addresses, transmit),
    );
  }

  static async of(wrap: SimWrap): Promise<Storm> {
    return new Storm(wrap, await simIdentity(wrap));
  }

  /** Sessions of clients that are not over, oldest first. */
  get living(): readonly Session[] {
    return this.#clients.map(({ session }) => session);
  }

  /** Ends those that have no tunnel: two that open at a time may replace each other for ever. */
  stopUnfinished(): void {
    for (const { session, isUp } of [...this.#clients]) if (!isUp) session.stop();
  }

  get isUp(): boolean {
    return this.#clients.at(-1)?.isUp === true && this.#server.isUp;
  }

  /** Opens one more, from the same address and port; the others go on. */
  open(): void {
    const { clock } = this;
    const number = this.#opened;
    this.#opened += 1;
    const { profile } = this.#identity;
    const link = new PoisonedLink(
      clock,
      {
        localAddress: CLIENT.address,
        localPort: CLIENT.port,
        remoteAddress: SERVER.address,
        remotePort: SERVER.port,
      },
      (datagram) => {
        this.wire.fromClient(number, datagram);
        this.#toServer(datagram);
      },
    );
    const session = new Session(
      clientSessionOptions(link, {
        profile,
        options: resolveClientOptions({ profile, clock, random: this.#random }),
        signIn: new SignIn(profile, {}),
        signal: new AbortController().signal,
        stage: () => {},
        emit: () => {},
      }),
    );
    const client: Client = { number, session, link, isUp: false };
    this.#clients.push(client);
    session.established.then(
      () => {
        client.isUp = true;
      },
      () => {},
    );
    void session.done.then(() => {
      this.#clients.splice(this.#clients.indexOf(client), 1);
    });
    session.start();
  }

  /** All that have a tunnel send `count` packets of their own, and read what came. */
  talk(count: number): void {
    for (const { number, session, isUp } of this.#clients) {
      if (isUp) this.#exchange(session, number, count);
    }
    const { session, isUp } = this.#server;
    if (session !== undefined && isUp) this.#exchange(session, this.#opened - 1, count);
  }

  /** The newest session and the server ask for new keys. */
  renegotiate(): void {
    this.#clients.at(-1)?.session.renegotiate();
    this.#server.session?.renegotiate();
  }

  async advance(duration: number): Promise<void> {
    const end = this.clock.now() + duration;
    await this.#settle();
    while (this.clock.nextAt <= end) {
      this.clock.step();
      await this.#settle();
    }
    this.clock.advance(end - this.clock.now());
  }

  async stop(): Promise<void> {
    for (const session of this.living) session.stop();
    this.#server.session?.stop();
    await this.#settle();
  }

  #exchange(session: Session, number: number, count: number): void {
    for (let packet = session.tun.read(); packet !== undefined; packet = session.tun.read()) {
      this.inner.received += 1;
      if (!isWhole(packet)) this.inner.faults += 1;
    }
    sendMarked(session.tun, number, count);
    session.arm();
  }

  async #settle(): Promise<void> {
    this.clock.settle();
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await turn();
      quiet = this.clock.busy ? 0 : quiet + 1;
      this.clock.settle();
    }
  }
}

function sendMarked(tun: TunDevice, number: number, count: number): void {
  for (let sent = 0; sent < count && tun.writable; sent += 1) {
    tun.write(ipv4Packet(60 + sent, number % MARKS));
  }
}

/** Whether all bytes behind the header are the same mark. */
function isWhole(packet: Buffer): boolean {
  const mark = packet[INNER_HEADER_BYTES] ?? POISON;
  return mark < MARKS && packet.subarray(INNER_HEADER_BYTES).every((byte) => byte === mark);
}
