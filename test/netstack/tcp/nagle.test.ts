import { describe, expect, test } from 'vitest';
import { Nagle } from '../../../src/netstack/tcp/nagle.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const MSS = 1000;

describe('Nagle', () => {
  test.each([
    { name: 'nothing small was sent', small: [], sndUna: 100, waits: false },
    { name: 'a small one is out', small: [150], sndUna: 100, waits: true },
    { name: 'it is acknowledged', small: [150], sndUna: 150, waits: false },
    { name: 'the last of two is out', small: [150, 160], sndUna: 150, waits: true },
    { name: 'a small one is out, over the edge', small: [5], sndUna: 0xffff_fff0, waits: true },
  ])('waits for small segments only: $name', ({ small, sndUna, waits }) => {
    const nagle = new Nagle(sndUna === 0xffff_fff0 ? sndUna : 100);
    for (const end of small) nagle.sentSmall(end);
    nagle.release(sndUna);
    expect(nagle.waits(sndUna)).toBe(waits);
  });

  test('forgets what is acknowledged, however far the numbers go', () => {
    const nagle = new Nagle(0);
    nagle.sentSmall(10);
    nagle.release(2 ** 31);
    expect(nagle.waits(2 ** 31 + 20)).toBe(false);
  });
});

test('the tail of a long write goes behind full segments that are out, a second tail waits', () => {
  const peer = new ScriptedPeer({ timestamps: false, windowScaling: false });
  peer.connection.connect(0);
  peer.take();
  peer.send('SA', 0, 1, { mss: MSS });
  peer.take();
  peer.connection.write(Buffer.alloc(2 * MSS + 10));
  expect(peer.take()).toEqual(['A 1/1 +1000', 'A 1001/1 +1000', 'A 2001/1 +10']);
  peer.connection.write(Buffer.alloc(10));
  expect(peer.take()).toEqual([]);
  peer.send('A', 1, 2011);
  expect(peer.take()).toEqual(['A 2011/1 +10']);
});
