import { expect } from 'vitest';
import {
  DataChannel,
  type DataChannelOptions,
  type DataChannelParts,
} from '../../src/datachannel/data-channel.ts';
import type { DataChannelEvent } from '../../src/datachannel/data-channel-event.ts';
import { createDataKey } from '../../src/datachannel/data-key.ts';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';
import { negotiated, OPTIONS } from './fixtures.ts';

/** One end of a data channel. */
export interface End {
  readonly role: Role;
  readonly channel: DataChannel;
  readonly activity: LinkActivity;
}

export function endOf(
  role: Role,
  options: Partial<DataChannelOptions> = {},
  parts: DataChannelParts = {},
): End {
  const activity = new LinkActivity(0);
  return { role, activity, channel: new DataChannel({ ...OPTIONS, ...options }, activity, parts) };
}

/** What was agreed on beside the key id. */
type Format = Partial<Pick<DataChannelKey, 'cipher' | 'peerId' | 'epoch'>>;

/** Two ends that share key id 0. */
export function connectedPair(
  options: Partial<DataChannelOptions> = {},
  parts: DataChannelParts = {},
  format: Format = {},
): { client: End; server: End } {
  const client = endOf('client', options, parts);
  const server = endOf('server', options, parts);
  for (const { channel, role } of [client, server]) {
    channel.install({ ...negotiated(role, 0), ...format }, 0);
  }
  return { client, server };
}

export function sealed({ channel }: End, packet: Buffer, now = 0): Buffer {
  const outer = channel.seal(packet, now);
  return typeof outer === 'number' ? expect.fail(`dropped: ${outer}`) : outer;
}

/** Seals what no honest end would, as the server with key id 0. */
export function rawSealer(format: Format = {}): (payload: Buffer) => Buffer {
  const { codec } = createDataKey(
    { ...negotiated('server', 0), ...format },
    {
      provider: nodeProvider,
      limits: KEY_LIMITS,
      auth: OPTIONS.auth,
      replayWindow: OPTIONS.replayWindow,
    },
  );
  return (payload) => codec.seal(payload) ?? expect.fail('exhausted');
}

export function eventsOf(channel: DataChannel): DataChannelEvent[] {
  const events: DataChannelEvent[] = [];
  for (;;) {
    const event = channel.takeEvent();
    if (event === undefined) return events;
    events.push(event);
  }
}
