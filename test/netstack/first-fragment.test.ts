import { describe, expect, test } from 'vitest';
import { holdsTransportHeader } from '../../src/netstack/first-fragment.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { fragment, headerOf } from './fragments.ts';

/** The start of a TCP header whose data offset is `words`. */
function tcp(length: number, words: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (length > 12) bytes.writeUInt8(words << 4, 12);
  return bytes;
}

/** A destination options header of 8 bytes in front of `rest`. */
function behindOptions(protocol: number, rest: Buffer): Buffer {
  return Buffer.concat([Buffer.from([protocol, 0, 1, 4, 0, 0, 0, 0]), rest]);
}

const { TCP, UDP } = IpProtocol;
const OPTIONS = 60;

describe('holdsTransportHeader', () => {
  // biome-ignore format: one case a line
  test.each([
    { name: 'UDP',                             family: 4, protocol: UDP,     payload: Buffer.alloc(8),                                  holds: true },
    { name: 'TCP without options',             family: 4, protocol: TCP,     payload: tcp(24, 5),                                       holds: true },
    { name: 'TCP, cut',                        family: 4, protocol: TCP,     payload: tcp(16, 5),                                       holds: false },
    { name: 'TCP, options cut',                family: 4, protocol: TCP,     payload: tcp(24, 7),                                       holds: false },
    { name: 'TCP, options whole',              family: 4, protocol: TCP,     payload: tcp(32, 8),                                       holds: true },
    { name: 'TCP without options',             family: 6, protocol: TCP,     payload: tcp(24, 5),                                       holds: true },
    { name: 'TCP, cut',                        family: 6, protocol: TCP,     payload: tcp(16, 5),                                       holds: false },
    { name: 'UDP behind options',              family: 6, protocol: OPTIONS, payload: behindOptions(UDP, Buffer.alloc(8)),              holds: true },
    { name: 'options alone',                   family: 6, protocol: OPTIONS, payload: behindOptions(UDP, Buffer.alloc(0)),              holds: false },
    { name: 'TCP behind options',              family: 6, protocol: OPTIONS, payload: behindOptions(TCP, tcp(24, 5)),                   holds: true },
    { name: 'TCP behind options, cut',         family: 6, protocol: OPTIONS, payload: behindOptions(TCP, tcp(16, 5)),                   holds: false },
    { name: 'options that go on',              family: 6, protocol: OPTIONS, payload: Buffer.from([UDP, 1, 1, 4, 0, 0, 0, 0]),          holds: false },
    { name: 'options and nothing behind them', family: 6, protocol: OPTIONS, payload: Buffer.from([OPTIONS, 0, 1, 4, 0, 0, 0, 0]),      holds: false },
    { name: 'nine extension headers',          family: 6, protocol: OPTIONS, payload: Buffer.concat(Array(9).fill(behindOptions(OPTIONS, Buffer.alloc(0)))), holds: false },
  ] as const)('IPv$family $name: $holds', ({ family, protocol, payload, holds }) => {
    const packet = fragment(family, { offset: 0, more: true, payload, protocol });
    expect(holdsTransportHeader(packet, headerOf(packet))).toBe(holds);
  });
});
