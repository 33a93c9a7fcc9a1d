import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCertificate } from '../../src/tlsstate/certificate.ts';
import { type DerNode, readDer } from '../../src/tlsstate/der.ts';
import { NO_PEER_CHECKS, verifyPeer } from '../../src/tlsstate/verify-peer.ts';
import { createAuthority, serverOptions } from './certificates.ts';

const { der } = createAuthority().issue(serverOptions());

/** All nodes of a tree, and how deep it is. */
function extent(node: DerNode, depth = 1): { nodes: number; depth: number; bytes: number } {
  const below = node.children.map((child) => extent(child, depth + 1));
  return {
    nodes: below.reduce((sum, { nodes }) => sum + nodes, 1),
    depth: Math.max(depth, ...below.map((one) => one.depth)),
    bytes: node.content.length,
  };
}

describe('readDer', () => {
  test('any bytes give a tree of no more than they hold, or nothing', () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x30, 0x31, 0xa3, 0x80, 0x81, 0x84, 0x02));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 200 }), (bytes) => {
        const tree = readDer(Buffer.from(bytes));
        if (tree === undefined) return;
        const { nodes, bytes: content } = extent(tree);
        expect(nodes * 2).toBeLessThanOrEqual(Math.max(bytes.length, 2));
        expect(content).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([10, 100, 1000, 100_000])('%i nested sequences do not overflow the stack', (depth) => {
    const nested = Buffer.alloc(depth * 2);
    for (let at = 0; at < depth; at += 1) {
      nested[at * 2] = 0x30;
      nested[at * 2 + 1] = Math.min((depth - at - 1) * 2, 0x7f);
    }
    expect(() => readDer(nested)).not.toThrow();
  });
});

describe('readCertificate', () => {
  test('every truncation and every changed byte gives facts, nothing, or a refusal', () => {
    const checks = {
      ...NO_PEER_CHECKS,
      remoteCertTls: 'server',
      verifyX509Name: { type: 'name', value: 'vpn.example' },
    } as const;
    expect(verifyPeer(der, checks)).toBeUndefined();
    for (let at = 0; at < der.length; at += 1) {
      const cut = der.subarray(0, at);
      expect(readCertificate(cut)).toBeUndefined();
      expect(verifyPeer(cut, checks)?.code).toBe('OVPN_TLS_FAILED');
      for (const mask of [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff]) {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ mask;
        const refusal = verifyPeer(changed, checks);
        if (refusal !== undefined) expect(refusal.message).toMatch(/^[\x20-\x7e]+$/);
      }
    }
  });
});
