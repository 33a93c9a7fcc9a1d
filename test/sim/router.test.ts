import { describe, expect, test } from 'vitest';
import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import { runBlackHole } from './black-hole.ts';
import { packetTooBig } from './router.ts';

describe('packetTooBig', () => {
  test('answers over IPv4 with the next MTU, and quotes the packet', () => {
    const packet = Buffer.alloc(1500, 7);
    packet.writeUInt8(0x45, 0);
    packet.set([10, 8, 0, 1, 10, 8, 0, 2], 12);
    const answer = packetTooBig(packet, 1300);
    expect(answer.length).toBe(576);
    expect([...answer.subarray(16, 22)]).toEqual([10, 8, 0, 1, 3, 4]);
    expect(answer.readUInt16BE(26)).toBe(1300);
    expect(answer.subarray(28)).toEqual(packet.subarray(0, 548));
    expect(checksumOf(sumBytes(answer, 0, 20))).toBe(0);
    expect(checksumOf(sumBytes(answer, 20, 556))).toBe(0);
  });

  test('answers over IPv6 within 1280 bytes', () => {
    const packet = Buffer.alloc(1501, 7);
    packet.writeUInt8(0x60, 0);
    const answer = packetTooBig(packet, 1400);
    expect(answer.length).toBe(1280);
    expect([...answer.subarray(40, 42)]).toEqual([2, 0]);
    expect(answer.readUInt32BE(44)).toBe(1400);
    expect(answer.subarray(24, 40)).toEqual(packet.subarray(8, 24));
    const pseudo = sumBytes(answer, 8, 32) + (1280 - 40) + 58;
    expect(checksumOf(pseudo + sumBytes(answer, 40, 1240))).toBe(0);
  });
});

describe('a router that drops long packets', () => {
  test.each([
    { name: 'IPv4, and says so', family: 4, routerMtu: 1300, limitMs: 5_000 },
    { name: 'IPv4, at the smallest MTU', family: 4, routerMtu: 576, limitMs: 5_000 },
    { name: 'IPv6, and says so', family: 6, routerMtu: 1300, limitMs: 5_000 },
    { name: 'IPv6, at the smallest MTU', family: 6, routerMtu: 1280, limitMs: 5_000 },
    { name: 'IPv4, and is silent', family: 4, line: { delayMs: 10, mtu: 1300 }, limitMs: 60_000 },
    { name: 'IPv4, silent at 576', family: 4, line: { delayMs: 10, mtu: 576 }, limitMs: 60_000 },
    { name: 'IPv6, and is silent', family: 6, line: { delayMs: 10, mtu: 1280 }, limitMs: 60_000 },
  ] as const)('is no end of a transfer: $name', ({ family, limitMs, ...way }) => {
    expect(runBlackHole(family, way, limitMs)).toBe('whole');
  });
});
