import type { Clock } from '../../src/core/clock.ts';
import { Pump } from '../../src/core/pump.ts';
import { type CipherProvider, TAG_BYTES } from '../../src/datachannel/cipher-provider.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { DataChannelService } from '../../src/datachannel/service.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { KEY2_BYTES } from '../../src/model/data-channel-key.ts';
import { type Role, sessionIdOf } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import type { Link, LinkPort } from '../../src/networkio/link.ts';
import { NetworkIoService } from '../../src/networkio/service.ts';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { PacketMuxer } from '../../src/packetmuxer/packet-muxer.ts';
import { PacketMuxerService } from '../../src/packetmuxer/service.ts';
import { createChannels } from '../../src/session/channels.ts';
import { MemoryTun } from '../../src/tun/memory-tun.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { memoryBytes } from '../allocated.ts';
import { rowOf } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'data path';

const MTU = 1400;
const SEGMENT_BYTES = 1336;
/** Packets that one look at a socket brings. */
const BURST = 32;
const BURSTS = 20_000;
const WARM_UP_BURSTS = 5_000;
const MEMORY_BURSTS = 2_000;
const PORT = 80;
const NOTE = 'a copy in place of the cipher';
const OPTIONS = {
  auth: 'SHA1',
  handWindowMs: 60_000,
  tranWindowMs: 3_600_000,
  renegSecMs: 3_600_000,
  renegBytes: 0,
  renegPackets: 0,
  replayWindow: { packets: 64, ms: 15_000 },
};

/** What is our own in a packet's way between socket and application. */
export interface OwnCode {
  /** Processor time a packet with its share of acknowledgements. Unit: nanoseconds. */
  readonly down: number;
  readonly up: number;
  /** On the heap and outside, a packet. Unit: bytes. */
  readonly downBytes: number;
  readonly upBytes: number;
}

export async function bench(): Promise<Row[]> {
  const { down, up, downBytes, upBytes } = ownCode();
  return [
    {
      ...rowOf({ task: 'link to stream', bytes: SEGMENT_BYTES, note: NOTE }, down),
      allocatedBytes: downBytes,
    },
    {
      ...rowOf({ task: 'stream to link', bytes: SEGMENT_BYTES, note: NOTE }, up),
      allocatedBytes: upBytes,
    },
  ];
}

/** One TCP transfer between two ends in this thread, without sockets and with a cipher that copies. */
export function ownCode(): OwnCode {
  const time = transfer(cpuNanoseconds, BURSTS);
  const memory = transfer(memoryBytes, MEMORY_BURSTS);
  return {
    down: mean(time.down),
    up: mean(time.up),
    downBytes: Math.round(middle(memory.down)),
    upBytes: Math.round(middle(memory.up)),
  };
}

/** What `meter` gained with every burst, a packet. What went down, as memory does at times, is left out. */
function transfer(meter: () => number, bursts: number): Record<'down' | 'up', number[]> {
  const [sender, receiver] = [new End('server', 1), new End('client', 2)];
  const { write, run } = connect(sender, receiver);
  const gained = { down: [] as number[], up: [] as number[] };
  const chunk = Buffer.alloc(SEGMENT_BYTES * BURST, 7);
  for (let burst = -WARM_UP_BURSTS; burst < bursts; burst += 1) {
    const begun = meter();
    write(chunk);
    run(sender);
    const sent = meter();
    const packets = sender.moveTo(receiver);
    const arrived = meter();
    run(receiver);
    const received = meter();
    receiver.moveTo(sender);
    const acknowledged = meter();
    run(sender);
    const up = meter() - acknowledged + sent - begun;
    if (burst < 0) continue;
    if (up >= 0) gained.up.push(up / packets);
    if (received >= arrived) gained.down.push((received - arrived) / packets);
  }
  return gained;
}

/** Processor time of this process: the machine may be busy with others. */
function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

/** Opens a connection, into which the sender writes and from which the receiver reads. */
function connect(sender: End, receiver: End) {
  let now = 1;
  const run = (end: End) => {
    now += 1;
    end.pump.run(now);
  };
  let accepted: TcpConnection | undefined;
  sender.netstack.listenTcp({ port: PORT }, (connection) => {
    accepted = connection;
    return SILENT;
  });
  const connection: TcpConnection = receiver.netstack.connectTcp(sender.address, PORT, {
    ...SILENT,
    readable: () => {
      while (connection.read() !== undefined);
    },
  });
  for (let round = 0; round < 10; round += 1) {
    run(receiver);
    receiver.moveTo(sender);
    run(sender);
    sender.moveTo(receiver);
  }
  if (accepted === undefined) throw new Error('the handshake failed');
  const write = accepted.write.bind(accepted);
  return { write, run };
}

/** The data path of one end: all its layers but those of the control channel. */
class End {
  readonly pump: Pump;
  readonly netstack: Netstack;
  readonly address: IpAddress;
  readonly #link = new ArrayLink();

  constructor(role: Role, host: number) {
    const pump = new Pump(NO_CLOCK, (error) => {
      throw error;
    });
    const channels = createChannels(pump.arm);
    const activity = new LinkActivity(0);
    const data = new DataChannel(OPTIONS, activity, { provider: copying });
    install(data, role);
    const localSessionId = sessionIdOf(Buffer.alloc(8, host));
    const remoteSessionId = localSessionId;
    const wrapFor = () => plainWrap;
    const muxer = new PacketMuxer({
      role: 'server',
      localSessionId,
      remoteSessionId,
      wrapFor,
      activity,
    });
    const tun = new MemoryTun(channels, { mtu: MTU, maxMss: MTU - 40 });
    this.pump = pump;
    this.address = IpAddress.ipv4(0x0a08_0000 + host);
    this.netstack = new Netstack({
      tun,
      ipv4: { address: `10.8.0.${host}`, prefixLength: 24 },
      random: new SeededRandom(host),
      clock: NO_CLOCK,
      wake: pump.arm,
    });
    const io = { link: this.#link, clock: NO_CLOCK, arm: pump.arm, onEnded: () => {} };
    pump.add(new NetworkIoService(io, channels));
    pump.add(new PacketMuxerService(muxer, channels));
    pump.add(new DataChannelService(data, channels, NO_DATA_EVENTS));
    pump.add(this.netstack);
  }

  /** Carries what it sent to the other end; how many packets that were. */
  moveTo(other: End): number {
    return this.#link.moveTo(other.#link);
  }
}

function install(data: DataChannel, role: Role): void {
  const cipher = DATA_CIPHERS.get('AES-256-GCM');
  if (cipher === undefined) throw new Error('AES-256-GCM is missing');
  const material = Buffer.alloc(KEY2_BYTES, 1);
  data.install({ keyId: 0, role, cipher, peerId: 0, epoch: false, material, startedAt: 0 }, 0);
}

/** A link whose packets wait until they are moved. */
class ArrayLink implements Link {
  readonly protocol = 'udp';
  readonly localAddress = '';
  readonly localPort = 0;
  readonly remoteAddress = '';
  readonly remotePort = 0;
  readonly bytesRead = 0;
  readonly bytesWritten = 0;
  readonly overflows = 0;
  readonly writable = true;
  #port: LinkPort | undefined;
  #sent: Buffer[] = [];

  open(port: LinkPort): void {
    this.#port = port;
  }

  send(packet: Buffer): void {
    this.#sent.push(packet);
  }

  moveTo(other: ArrayLink): number {
    const sent = this.#sent;
    this.#sent = [];
    for (const packet of sent) other.#port?.receive(packet);
    return sent.length;
  }

  resume(): void {}

  async close(): Promise<void> {}
}

const TAG = Buffer.alloc(TAG_BYTES, 1);

/** Copies, where a cipher would work: what it gives is as fresh as a cipher's. */
const copying: CipherProvider = {
  name: 'copying',
  defers: false,
  has: nodeProvider.has,
  createSealer: () => ({
    seal: (_nonce, _aad, plaintext, packet, tagAt, textAt) => {
      packet.set(plaintext, textAt);
      packet.set(TAG, tagAt);
    },
  }),
  createOpener: () => ({
    open: (_nonce, _aad, _tag, ciphertext) => {
      const plaintext = Buffer.allocUnsafeSlow(ciphertext.length);
      plaintext.set(ciphertext);
      return plaintext;
    },
  }),
  createCbcSealer: nodeProvider.createCbcSealer,
  createCbcOpener: nodeProvider.createCbcOpener,
};

const SILENT: TcpEvents = { connected() {}, readable() {}, writable() {}, closed() {} };
const NO_DATA_EVENTS = { peerExit() {}, pingTimeout() {}, failed() {}, rekeyed() {} };
/** Pumps are run by hand. */
const NO_CLOCK: Clock = {
  now: () => 0,
  unixSeconds: () => 0,
  setTimer: () => () => {},
  setImmediate: () => () => {},
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function middle(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
