import { Channel } from '../core/channel.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { ControlPacket } from '../model/packet.ts';
import type { SessionIds, TlsChunk } from '../model/tls-chunk.ts';

/** Slots: a burst of the socket, a flight of the handshake, a few values. */
const OUTER_UP = 512;
const DATA_UP = 512;
const DATA_DOWN = 256;
const CONTROL = 16;
const VALUES = 2;

/** Every channel of a session, named `<from>To<to>`; `docs/ARCHITECTURE.md` draws them. */
export interface Channels {
  readonly networkToMuxer: Channel<Buffer>;
  readonly muxerToReliable: Channel<ControlPacket>;
  readonly reliableToControl: Channel<ControlPacket>;
  readonly controlToTls: Channel<TlsChunk>;
  readonly tlsToControl: Channel<TlsChunk>;
  readonly controlToReliable: Channel<ControlPacket>;
  readonly reliableToMuxer: Channel<ControlPacket>;
  readonly muxerToData: Channel<Buffer>;
  readonly dataToTun: Channel<Buffer>;
  readonly tunToData: Channel<Buffer>;
  readonly dataToMuxer: Channel<Buffer>;
  readonly muxerToNetwork: Channel<Buffer>;
  readonly hardResetDone: Channel<SessionIds>;
  readonly softReset: Channel<number>;
  readonly keyEstablished: Channel<number>;
  readonly keyReady: Channel<DataChannelKey>;
  readonly rekeyDue: Channel<string>;
}

/** Makes the channels of one session; `arm` is called when an empty one gets an item. */
export function createChannels(arm: () => void): Channels {
  return {
    networkToMuxer: new Channel('networkToMuxer', OUTER_UP, arm),
    muxerToReliable: new Channel('muxerToReliable', CONTROL, arm),
    reliableToControl: new Channel('reliableToControl', CONTROL, arm),
    controlToTls: new Channel('controlToTls', CONTROL, arm),
    tlsToControl: new Channel('tlsToControl', CONTROL, arm),
    controlToReliable: new Channel('controlToReliable', CONTROL, arm),
    reliableToMuxer: new Channel('reliableToMuxer', CONTROL, arm),
    muxerToData: new Channel('muxerToData', DATA_UP, arm),
    dataToTun: new Channel('dataToTun', DATA_UP, arm),
    tunToData: new Channel('tunToData', DATA_DOWN, arm),
    dataToMuxer: new Channel('dataToMuxer', DATA_DOWN, arm),
    muxerToNetwork: new Channel('muxerToNetwork', DATA_DOWN, arm),
    hardResetDone: new Channel('hardResetDone', VALUES, arm),
    softReset: new Channel('softReset', VALUES, arm),
    keyEstablished: new Channel('keyEstablished', VALUES, arm),
    keyReady: new Channel('keyReady', VALUES, arm),
    rekeyDue: new Channel('rekeyDue', VALUES, arm),
  };
}

/** Closes them all: whoever waits for one is woken. */
export function closeChannels(channels: Channels): void {
  for (const channel of Object.values(channels)) channel.close();
}
