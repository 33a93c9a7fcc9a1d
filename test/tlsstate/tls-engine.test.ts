import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ExporterLabel } from '../../src/tlsstate/exporter-label.ts';
import { MAX_WAITING_BYTES } from '../../src/tlsstate/tls-bio.ts';
import { TlsEngine, type TlsEvent } from '../../src/tlsstate/tls-engine.ts';
import { identityOf, pki } from './pair.ts';

const RECORD_BYTES = 16_384;
const FLOOD_BYTES = 8 * 1024 * 1024;

/** A handshake message of 16 MiB that begins with `type`, in records, without an end. */
function* endlessMessage(type: number): Generator<Buffer> {
  const header = Buffer.from([22, 3, 3, RECORD_BYTES >>> 8, RECORD_BYTES & 0xff]);
  const first = Buffer.alloc(RECORD_BYTES);
  first.set([type, 0xff, 0xff, 0xff]);
  yield Buffer.concat([header, first]);
  for (;;) yield Buffer.concat([header, Buffer.alloc(RECORD_BYTES)]);
}

describe('a flood of TLS bytes before the handshake is done', () => {
  test.each([
    { role: 'server', name: 'ClientHello', type: 1 },
    { role: 'client', name: 'ServerHello', type: 2 },
    { role: 'client', name: 'Certificate', type: 11 },
  ] as const)('a $role ends with a $name of 16 MiB, early', async ({ role, type }) => {
    const engine = new TlsEngine(role, identityOf(pki[role]), () => {});
    const events: TlsEvent[] = [];
    let fed = 0;
    for (const record of endlessMessage(type)) {
      if (events.length > 0 || fed > FLOOD_BYTES) break;
      if (engine.acceptsInput) {
        engine.feed(record);
        fed += record.length;
      }
      await turn();
      for (let event = engine.takeEvent(); event; event = engine.takeEvent()) events.push(event);
    }
    engine.destroy();
    expect(events).toMatchObject([{ kind: 'failed', error: { code: 'OVPN_TLS_FAILED' } }]);
    expect(fed).toBeLessThan(4 * MAX_WAITING_BYTES);
  });

  test('in one turn no more is taken than may wait', () => {
    const engine = new TlsEngine('client', identityOf(pki.client), () => {});
    let fed = 0;
    for (const record of endlessMessage(2)) {
      if (!engine.acceptsInput || fed > FLOOD_BYTES) break;
      engine.feed(record);
      fed += record.length;
    }
    engine.destroy();
    expect(fed).toBeLessThan(MAX_WAITING_BYTES + 2 * RECORD_BYTES);
  });
});

describe('exportKey', () => {
  test.each(['client', 'server'] as const)('of a %s waits for the peer to be accepted', (role) => {
    const engine = new TlsEngine(role, identityOf(pki[role]), () => {});
    for (const label of Object.values(ExporterLabel)) {
      expect(() => engine.exportKey(label)).toThrow('before the peer was accepted');
    }
    engine.destroy();
  });
});

/** Extension types of a ClientHello (RFC 8446 §4.1.2) that is one TLS record. */
function extensionsOf(hello: Buffer): number[] {
  const RANDOM_END = 5 + 4 + 2 + 32;
  let at = RANDOM_END + 1 + hello.readUInt8(RANDOM_END);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  const types: number[] = [];
  for (at += 2; at < hello.length; at += 4 + hello.readUInt16BE(at + 2)) {
    types.push(hello.readUInt16BE(at));
  }
  return types;
}

describe('the ClientHello', () => {
  test.each(['1.2', '1.3'] as const)(
    'of TLS %s names no server, no protocol, and asks for no ticket',
    async (version) => {
      const versions = { tlsVersionMin: version, tlsVersionMax: version };
      const engine = new TlsEngine('client', identityOf(pki.client, versions), () => {});
      let hello: Buffer | undefined;
      while (hello === undefined) {
        await turn();
        hello = engine.takeOutput(RECORD_BYTES);
      }
      engine.destroy();
      const types = extensionsOf(hello);
      expect(types).toContain(SIGNATURE_ALGORITHMS);
      expect(types).not.toContain(SERVER_NAME);
      expect(types).not.toContain(ALPN);
      expect(types).not.toContain(SESSION_TICKET);
      expect(types).not.toContain(PRE_SHARED_KEY);
    },
  );
});

const SERVER_NAME = 0;
const SIGNATURE_ALGORITHMS = 13;
const ALPN = 16;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
