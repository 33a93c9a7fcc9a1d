import { ControlChannel } from '../controlchannel/control-channel.ts';
import { ControlChannelService } from '../controlchannel/service.ts';
import type { Clock } from '../core/clock.ts';
import { Workers } from '../core/workers.ts';
import type { CipherProvider } from '../datachannel/cipher-provider.ts';
import { DataChannel, type DataChannelOptions } from '../datachannel/data-channel.ts';
import { nodeProvider } from '../datachannel/node-provider.ts';
import { DataChannelService, type DataChannelServiceEvents } from '../datachannel/service.ts';
import type { Role } from '../model/ids.ts';
import { LinkActivity } from '../model/link-activity.ts';
import type { Tracer } from '../model/tracer.ts';
import type { Link } from '../networkio/link.ts';
import { NetworkIoService } from '../networkio/service.ts';
import { PacketMuxer, type PacketMuxerOptions } from '../packetmuxer/packet-muxer.ts';
import { PacketMuxerService } from '../packetmuxer/service.ts';
import { ReliableService } from '../reliable/service.ts';
import { type TlsStateEvents, type TlsStateOptions, TlsStateService } from '../tlsstate/service.ts';
import { MemoryTun } from '../tun/memory-tun.ts';
import { type Channels, closeChannels, createChannels } from './channels.ts';

type WithoutActivity<T> = T extends unknown ? Omit<T, 'activity'> : never;

/** What the layers of one session are made from. */
export interface StackOptions {
  readonly role: Role;
  readonly link: Link;
  readonly clock: Clock;
  readonly tracer: Tracer | undefined;
  readonly muxer: WithoutActivity<PacketMuxerOptions>;
  readonly tlsTimeoutMs: number;
  /** Most acknowledgements in a P_ACK_V1. */
  readonly ackV1Limit: number;
  readonly tls: (arm: () => void) => TlsStateOptions;
  readonly data: DataChannelOptions;
  /** Default: `node:crypto`. */
  readonly cipherProvider?: CipherProvider;
  readonly tun: { readonly mtu: number; readonly maxMss: number };
  readonly events: {
    readonly tls: TlsStateEvents;
    readonly data: DataChannelServiceEvents;
    readonly linkEnded: (error: Error) => void;
  };
}

/**
 * The whole stack of a session: every channel, every layer, and who is joined to whom. The layers
 * run in the order in which they are started here, bottom first.
 */
export class Stack {
  readonly workers: Workers;
  readonly channels: Channels;
  readonly networkio: NetworkIoService;
  readonly packetmuxer: PacketMuxerService;
  readonly reliable: ReliableService;
  readonly controlchannel: ControlChannelService;
  readonly tlsstate: TlsStateService;
  readonly datachannel: DataChannelService;
  readonly tun: MemoryTun;
  /** Key ids: which one is active. */
  readonly keys: ControlChannel;

  constructor(options: StackOptions) {
    const { role, link, clock, tracer, events } = options;
    this.workers = new Workers(clock);
    const { arm } = this.workers.pump;
    const channels = createChannels(arm);
    const activity = new LinkActivity(clock.now());
    const muxer = new PacketMuxer({ ...options.muxer, activity } as PacketMuxerOptions);
    const keys = new ControlChannel(options.data.handWindowMs);

    this.channels = channels;
    this.keys = keys;
    this.networkio = new NetworkIoService(
      { link, clock, arm, tracer, onEnded: events.linkEnded },
      channels,
    );
    this.packetmuxer = new PacketMuxerService(muxer, channels, {
      tracer,
      strict: link.protocol === 'tcp',
    });
    this.reliable = new ReliableService(
      {
        role,
        tlsTimeoutMs: options.tlsTimeoutMs,
        ackV1Limit: options.ackV1Limit,
        acceptsSoftReset: (keyId) => keys.acceptsSoftReset(keyId),
        tracer,
      },
      channels,
    );
    this.controlchannel = new ControlChannelService(keys, channels);
    this.tlsstate = new TlsStateService(options.tls(arm), channels, events.tls);
    this.datachannel = new DataChannelService(
      new DataChannel(options.data, activity, { provider: options.cipherProvider ?? nodeProvider }),
      channels,
      events.data,
      tracer,
      arm,
    );
    this.tun = new MemoryTun(channels, options.tun);
  }

  /** Starts the layers, bottom first. */
  start(): void {
    const { workers } = this;
    workers.start(this.networkio);
    workers.start(this.packetmuxer);
    workers.start(this.reliable);
    workers.start(this.controlchannel);
    workers.start(this.tlsstate);
    workers.start(this.datachannel);
    workers.start({ name: 'tun', stop: () => closeChannels(this.channels) });
  }
}
