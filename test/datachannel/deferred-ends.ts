import { Channel } from '../../src/core/channel.ts';
import type { CipherProvider } from '../../src/datachannel/cipher-provider.ts';
import { DataChannel } from '../../src/datachannel/data-channel.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { DataChannelService } from '../../src/datachannel/service.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import type { SeededRandom } from '../sim/seeded-random.ts';
import { negotiated, OPTIONS } from './fixtures.ts';
import { HeldCrypto, turn } from './providers.ts';

/** How many packets a channel of an end takes. */
export const SLOTS = 256;

type Format = Partial<Pick<DataChannelKey, 'cipher' | 'epoch'>>;

export interface EndInput {
  readonly format?: Format;
  readonly slots?: number;
  readonly limits?: { readonly maxFailedOpens: number };
  readonly crypto?: HeldCrypto;
  /** Default: WebCrypto over `crypto`. */
  readonly provider?: CipherProvider;
}

/** One end with key id 0, whose ciphers answer when they are let. */
export class End {
  readonly role: Role;
  readonly crypto: HeldCrypto;
  readonly told: string[] = [];
  readonly ports: ReturnType<typeof portsOf>;
  readonly service: DataChannelService;
  /** How often a run of the workers was asked for. */
  armed = 0;

  constructor(role: Role, { format, slots = SLOTS, limits, crypto, provider }: EndInput) {
    this.role = role;
    this.crypto = crypto ?? new HeldCrypto();
    this.ports = portsOf(slots);
    const channel = new DataChannel(OPTIONS, new LinkActivity(0), {
      limits: { ...KEY_LIMITS, ...limits },
      provider: provider ?? webCryptoProvider(this.crypto),
    });
    const events = {
      peerExit: () => this.told.push('peerExit'),
      pingTimeout: () => this.told.push('pingTimeout'),
      failed: (error: Error) => this.told.push(`failed ${describeError(error)}`),
      rekeyed: () => {},
    };
    this.service = new DataChannelService(channel, this.ports, events, {}, () => {
      this.armed += 1;
    });
    this.ports.keyReady.push({ ...negotiated(role, 0), ...format });
    this.service.keyWorker(0);
  }

  /** Runs the workers and lets answers go, in any order with `random`, until nothing moves. */
  async run(random?: SeededRandom): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      const moved = [this.service.moveUpWorker(0), this.service.moveDownWorker(0)];
      if (moved.includes(true) || this.crypto.busy > 0) quiet = 0;
      const count = random === undefined ? this.crypto.held : 1 + (random.uint32() % 8);
      for (let each = 0; each < count; each += 1) this.crypto.release(random);
      await turn();
    }
  }
}

/** Turns without news after which none comes. */
const QUIET_TURNS = 4;

/** Two ends that share key id 0. */
export function pairOf(format: Format = {}, input: EndInput = {}): { client: End; server: End } {
  return {
    client: new End('client', { ...input, format }),
    server: new End('server', { ...input, format }),
  };
}

function portsOf(slots: number) {
  return {
    muxerToData: new Channel<Buffer>('muxerToData', slots),
    dataToTun: new Channel<Buffer>('dataToTun', slots),
    tunToData: new Channel<Buffer>('tunToData', slots),
    dataToMuxer: new Channel<Buffer>('dataToMuxer', slots),
    keyReady: new Channel<DataChannelKey>('keyReady', 2),
    rekeyDue: new Channel<string>('rekeyDue', 2),
  };
}

/** Takes all that is inside. */
export function drain(channel: Channel<Buffer>): Buffer[] {
  const items: Buffer[] = [];
  for (let item = channel.take(); item !== undefined; item = channel.take()) items.push(item);
  return items;
}

function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause.message : 'none';
  return `${'code' in error ? error.code : ''}: ${cause}`;
}
