import type { Millis } from '../../src/core/machine.ts';
import { address, NetstackPair, type NetstackPairOptions } from './netstack-pair.ts';
import { digestOf, StreamEnd } from './stream-end.ts';

const BYTES = 300_000;
const PORT = 80;

/** A transfer over a way that long packets do not pass: `whole`, or what arrived in time. */
export function runBlackHole(
  family: 4 | 6,
  way: Pick<NetstackPairOptions, 'routerMtu' | 'line'>,
  limitMs: Millis,
): string {
  const pair = new NetstackPair({ line: { delayMs: 10 }, ...way });
  const ends: StreamEnd[] = [];
  pair.right.listenTcp({ port: PORT }, (connection) => {
    const end = new StreamEnd(0).start(connection);
    ends.push(end);
    return end;
  });
  const sender = new StreamEnd(BYTES);
  const target = address(family === 4 ? '10.8.0.2' : 'fd00::2');
  sender.start(pair.left.connectTcp(target, PORT, sender));
  const arrived = pair.runUntil(() => ends[0]?.ended ?? false, limitMs);
  const whole = arrived && ends[0]?.digest === digestOf(BYTES);
  return whole ? 'whole' : `${ends[0]?.receivedBytes ?? 0} of ${BYTES} bytes`;
}
