import { describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import type { PingReply } from '../../src/dialer/ping.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { SERVER, SERVER6, settled, tunnelPair } from './tunnel-pair.ts';

async function collect(replies: AsyncIterable<PingReply>): Promise<PingReply[]> {
  const all: PingReply[] = [];
  for await (const reply of replies) all.push(reply);
  return all;
}

describe('ping', () => {
  test.each([SERVER, SERVER6])('gives a reply for each request to %s', async (host) => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock });
    const options = { count: 3, intervalMs: 100, payloadBytes: 32 };
    const replies = await settled(collect(client.ping(host, options)), clock);
    expect(replies.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    for (const reply of replies) {
      expect(reply).toMatchObject({ from: host, bytes: 32, ttl: 64, timeMs: 0, error: undefined });
    }
    expect(clock.now()).toBe(200);
  });

  test('says when nobody answers, in its time', async () => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock });
    const options = { count: 2, intervalMs: 1000, timeoutMs: 300 };
    const replies = await settled(collect(client.ping('10.8.0.99', options)), clock);
    expect(replies).toEqual(
      [1, 2].map((sequence) => ({
        sequence,
        from: undefined,
        bytes: 0,
        ttl: undefined,
        timeMs: undefined,
        error: 'timed-out',
      })),
    );
    expect(clock.now()).toBe(1300);
  });

  test('sends on while replies are outstanding', async () => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock });
    const options = { count: 4, intervalMs: 100, timeoutMs: 5000 };
    await settled(collect(client.ping('10.8.0.99', options)), clock);
    expect(clock.now()).toBe(5300);
  });

  test('stops when the loop is left, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock });
    const first = async () => {
      for await (const reply of client.ping(SERVER)) return reply;
      return undefined;
    };
    expect(await settled(first(), clock)).toMatchObject({ sequence: 1 });
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('ends with OVPN_ABORTED, also before it began', async () => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock });
    const abort = new AbortController();
    const replies = collect(client.ping(SERVER, { signal: abort.signal }));
    clock.setTimer(2500, () => abort.abort());
    await expect(settled(replies, clock)).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
    const late = collect(client.ping(SERVER, { signal: abort.signal }));
    await expect(settled(late, clock)).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
  });

  test('ends with the cause when the tunnel ends', async () => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock });
    const cause = new OvpnNetworkError('OVPN_LINK_CLOSED', 'gone', { layer: 'test' });
    clock.setTimer(1500, () => client.client.fail(cause));
    await expect(settled(collect(client.ping(SERVER)), clock)).rejects.toBe(cause);
    await expect(settled(collect(client.ping(SERVER)), clock)).rejects.toMatchObject({
      code: 'ENETDOWN',
      cause,
    });
  });

  test('an address without a way is ENETUNREACH', async () => {
    const clock = new VirtualClock();
    const { client } = tunnelPair({ clock, info: { ipv6: undefined } });
    await expect(settled(collect(client.ping(SERVER6)), clock)).rejects.toMatchObject({
      code: 'ENETUNREACH',
      address: SERVER6,
    });
  });
});
