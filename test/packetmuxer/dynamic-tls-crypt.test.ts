import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { dynamicTlsCryptKey } from '../../src/packetmuxer/dynamic-tls-crypt.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { sealedWrapContract, withBitFlipped } from '../contract/control-wrap.ts';
import { dynamicVectors, tlsAuthKeyBytes } from './wrap-vectors.ts';

const plain = Buffer.from('1901020304050607080000000000', 'hex');
const exported = () => Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const unixSeconds = () => 1_800_000_000;

sealedWrapContract('dynamic tls-crypt', 40, () => ({
  client: new SessionWrap({
    key: dynamicTlsCryptKey(exported(), undefined, 'client'),
    unixSeconds,
  }),
  server: new SessionWrap({
    key: dynamicTlsCryptKey(exported(), undefined, 'server'),
    unixSeconds,
  }),
}));

describe('dynamicTlsCryptKey', () => {
  test.each(dynamicVectors())('opens and seals the packets of $capture', (vector) => {
    const base = vector.xor_base === null ? undefined : Buffer.from(vector.xor_base, 'hex');
    const made = () => Buffer.from(vector.exporter, 'hex');
    const client = dynamicTlsCryptKey(made(), base, 'client');
    const server = dynamicTlsCryptKey(made(), base, 'server');
    expect(vector.packets.length).toBeGreaterThanOrEqual(4);
    for (const { dir, packet: hex, plaintext } of vector.packets) {
      const packet = Buffer.from(hex, 'hex');
      const content = Buffer.concat([packet.subarray(0, 9), Buffer.from(plaintext, 'hex')]);
      const [sender, receiver] = dir === 'C' ? [client, server] : [server, client];
      expect(receiver.open(packet)).toEqual(content);
      const [packetId, netTime] = [packet.readUInt32BE(9), packet.readUInt32BE(13)];
      expect(sender.seal(content, packetId, netTime)).toEqual(packet);
    }
  });

  test('every byte of the static key counts, as that of the exported one', () => {
    const base = tlsAuthKeyBytes();
    const mixed = exported().map((byte, at) => byte ^ (base[at] ?? 0));
    const sealed = new TlsCryptKey(Buffer.from(mixed), 'client').seal(plain, 1, 2);
    expect(dynamicTlsCryptKey(exported(), base, 'server').open(sealed)).toEqual(plain);
    for (const at of [128, 159, 192, 223]) {
      const other = withBitFlipped(base, at * 8);
      expect(dynamicTlsCryptKey(exported(), other, 'server').open(sealed)).toBe(Drop.BAD_AUTH);
      const otherSession = withBitFlipped(exported(), at * 8);
      expect(dynamicTlsCryptKey(otherSession, base, 'server').open(sealed)).toBe(Drop.BAD_AUTH);
    }
  });

  test('overwrites what was exported, and leaves the static key', () => {
    const bytes = exported();
    const base = tlsAuthKeyBytes();
    dynamicTlsCryptKey(bytes, base, 'client');
    expect(bytes).toEqual(Buffer.alloc(256));
    expect(base).toEqual(tlsAuthKeyBytes());
  });

  test.each([0, 255, 257])('wants 256 bytes of each, not %i', (length) => {
    expect(() => dynamicTlsCryptKey(Buffer.alloc(length), undefined, 'client')).toThrow('256');
    expect(() => dynamicTlsCryptKey(exported(), Buffer.alloc(length), 'client')).toThrow('256');
  });
});
