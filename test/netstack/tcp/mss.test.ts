import { describe, expect, test } from 'vitest';
import { type Extras, ScriptedPeer } from './scripted-peer.ts';

/** Opens, writes much, and says how long the segments are. */
function segmentBytes(mtu: number, syn: Extras, timestamps: boolean, passive: boolean): number[] {
  const peer = new ScriptedPeer({ mtu, timestamps, windowScaling: false });
  if (timestamps) peer.timestamp = 1;
  if (passive) {
    peer.accept(syn);
    peer.take();
    peer.send('A', 1, 1);
  } else {
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, syn);
  }
  peer.connection.write(Buffer.alloc(20_000));
  peer.take();
  return [...new Set(peer.segments.map(({ payloadLength }) => payloadLength))].filter(Boolean);
}

describe('the maximum segment size (RFC 9293 §3.7.1, RFC 6691)', () => {
  test.each([
    { mtu: 1500, mss: 1460 },
    { mtu: 1400, mss: 1360 },
    { mtu: 576, mss: 536 },
    { mtu: 9000, mss: 8960 },
  ])('ours is what the MTU $mtu leaves, whatever options there are', ({ mtu, mss }) => {
    for (const timestamps of [true, false]) {
      const peer = new ScriptedPeer({ mtu, timestamps });
      peer.connection.connect(0);
      peer.take();
      expect(peer.segments[0]?.options.mss).toBe(mss);
    }
  });

  test.each([
    { name: 'that of the peer', mtu: 1500, mss: 1000, segments: 1000 },
    { name: 'ours where it is smaller', mtu: 1000, mss: 1460, segments: 960 },
    { name: '536 where the peer names none', mtu: 1500, mss: undefined, segments: 536 },
    { name: '216 where the peer names less', mtu: 1500, mss: 48, segments: 216 },
    { name: '216 where the peer names zero', mtu: 1500, mss: 0, segments: 216 },
    { name: 'ours where the peer names all', mtu: 1500, mss: 65_535, segments: 1460 },
  ])('segments carry $name, less their options', ({ mtu, mss, segments }) => {
    const syn = mss === undefined ? {} : { mss };
    for (const passive of [true, false]) {
      expect(segmentBytes(mtu, syn, false, passive)).toEqual([segments]);
      expect(segmentBytes(mtu, syn, true, passive)).toEqual([segments - 12]);
    }
  });

  test('what the peer sends may be longer than what it takes', () => {
    const peer = new ScriptedPeer({ timestamps: false });
    peer.connection.connect(0);
    peer.take();
    peer.send('SA', 0, 1, { mss: 500 });
    peer.send('A', 1, 1, { data: 1360 });
    peer.take();
    expect(peer.readAll()).toHaveLength(1360);
  });
});
