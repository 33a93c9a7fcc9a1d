import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DatagramInbox } from '../../src/dialer/datagram-inbox.ts';
import { DATAGRAM_OVERHEAD_BYTES } from '../../src/netstack/udp-table.ts';
import { address } from '../sim/netstack-pair.ts';

const FROM = address('10.8.0.1');

function inbox(): { box: DatagramInbox; heard: string[] } {
  const heard: string[] = [];
  return { box: new DatagramInbox((payload) => heard.push(`${payload}`)), heard };
}

describe('DatagramInbox', () => {
  test('delivers in order, on later ticks', async () => {
    const { box, heard } = inbox();
    for (const text of ['a', 'b', 'c']) box.push(Buffer.from(text), FROM, 1);
    expect(heard).toEqual([]);
    await turn();
    expect(heard).toEqual(['a', 'b', 'c']);
    box.push(Buffer.from('d'), FROM, 1);
    await turn();
    expect(heard).toEqual(['a', 'b', 'c', 'd']);
  });

  test('counts what a datagram costs, and takes one of any size when it is empty', async () => {
    const { box } = inbox();
    box.limitBytes = 1000;
    expect(box.accepts(70_000)).toBe(true);
    box.push(Buffer.alloc(500), FROM, 1);
    expect(box.accepts(1000 - 500 - DATAGRAM_OVERHEAD_BYTES)).toBe(true);
    expect(box.accepts(1001 - 500 - DATAGRAM_OVERHEAD_BYTES)).toBe(false);
    await turn();
    expect(box.accepts(70_000)).toBe(true);
  });

  test('forgets what waits when it is cleared, and goes on', async () => {
    const { box, heard } = inbox();
    box.push(Buffer.from('a'), FROM, 1);
    box.clear();
    box.push(Buffer.from('b'), FROM, 1);
    await turn();
    expect(heard).toEqual(['b']);
    box.clear();
    box.push(Buffer.from('c'), FROM, 1);
    await turn();
    expect(heard).toEqual(['b', 'c']);
  });
});
