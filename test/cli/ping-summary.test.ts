import { describe, expect, test } from 'vitest';
import { summary } from '../../src/cli/ping-summary.ts';

describe('summary', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'all replies',  sent: 4, times: [1, 2, 3, 4], lines: ['4 packets transmitted, 4 received, 0% packet loss', 'rtt min/avg/max/mdev = 1.000/2.500/4.000/1.118 ms'] },
    { name: 'one reply',    sent: 1, times: [0.5],        lines: ['1 packets transmitted, 1 received, 0% packet loss', 'rtt min/avg/max/mdev = 0.500/0.500/0.500/0.000 ms'] },
    { name: 'a third lost', sent: 3, times: [2, 2],       lines: ['3 packets transmitted, 2 received, 33.3% packet loss', 'rtt min/avg/max/mdev = 2.000/2.000/2.000/0.000 ms'] },
    { name: 'no reply',     sent: 2, times: [],           lines: ['2 packets transmitted, 0 received, 100% packet loss'] },
    { name: 'nothing sent', sent: 0, times: [],           lines: ['0 packets transmitted, 0 received, 0% packet loss'] },
  ])('$name', ({ sent, times, lines }) => {
    expect(summary('10.8.0.1', sent, times)).toEqual(['--- 10.8.0.1 ping statistics ---', ...lines]);
  });

  test('takes more times than a call takes arguments', () => {
    const times = new Array<number>(300_000).fill(1);
    expect(summary('h', times.length, times).at(-1)).toContain('1.000/1.000/1.000/0.000');
  });
});
