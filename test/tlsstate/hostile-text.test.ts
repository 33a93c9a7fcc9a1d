import { describe, expect, test } from 'vitest';
import { OvpnError } from '../../src/core/errors.ts';
import { DropCounter } from '../../src/core/machine.ts';
import { Secret } from '../../src/core/secret.ts';
import { SessionMemory } from '../../src/tlsstate/agreement.ts';
import { ClientHandshake } from '../../src/tlsstate/handshake.ts';
import type { HandshakeStep } from '../../src/tlsstate/handshake-step.ts';
import { encodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import { makeKeySource } from '../../src/tlsstate/key-source2.ts';
import { CLIENT_IV_PROTO } from '../../src/tlsstate/peer-info.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { readPush } from './pair.ts';

const KEY_METHOD2 = encodeKeyMethod2({
  source: makeKeySource('server', new SeededRandom(2)),
  options: 'V4,tls-server',
  username: undefined,
  password: undefined,
  peerInfo: undefined,
});

const PRINTABLE = /^[\x20-\x7e]{1,1000}$/;
const CR = 0x0d;
const LF = 0x0a;

/** A client that waits for its push. */
function waiting() {
  const drops = new DropCounter();
  const memory = new SessionMemory();
  const handshake = new ClientHandshake(
    {
      optionsString: 'V4,dev-type tun,key-method 2,tls-client',
      peerInfo: '',
      ivProto: CLIENT_IV_PROTO,
      dataCiphers: ['AES-256-GCM', 'AES-128-GCM'],
      dataCiphersFallback: undefined,
      handWindowMs: 60_000,
      renegSecMs: 3_600_000,
      readPush,
    },
    {
      keyId: 0,
      ids: { local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) },
      startedAt: 0,
      random: new SeededRandom(1),
      memory,
      drops,
      exportKey: (label) => Buffer.alloc(256, label),
    },
  );
  handshake.credentialsReady({ username: 'alice', password: new Secret('correct horse') });
  handshake.secured();
  handshake.received(Buffer.from(KEY_METHOD2), 0);
  steps(handshake);
  return { handshake, drops, memory };
}

function steps(handshake: ClientHandshake): HandshakeStep[] {
  const taken: HandshakeStep[] = [];
  for (let step = handshake.takeStep(); step !== undefined; step = handshake.takeStep()) {
    taken.push(step);
  }
  return taken;
}

/** Whether the whole text must be dropped: any control byte but a line end at its end. */
function isUnclean(text: Buffer): boolean {
  let end = text.length;
  while (end > 0 && (text[end - 1] === CR || text[end - 1] === LF)) end -= 1;
  return text.subarray(0, end).some((byte) => byte < 0x20 || byte === 0x7f);
}

describe('a byte of the server that is not what it was', () => {
  test.each([
    'PUSH_REPLY,cipher AES-256-GCM,peer-id 3,protocol-flags tls-ekm',
    'PUSH_REPLY,auth-token T,push-continuation 2',
    'AUTH_FAILED,CRV1:R,E:id:YQ==:code?',
    'AUTH_FAILED,TEMP[backoff 7,advance no]:busy',
    'AUTH_PENDING,timeout 60',
    'INFO_PRE,WEB_AUTH:hidden:https://vpn.example/',
    'INFO,maintenance at ten',
    'RESTART,[N]soon',
    'HALT,[C]go',
    'EXIT',
  ])('every byte at every place of %s', (text) => {
    const clean = Buffer.from(`${text}\0`);
    for (let at = 0; at < text.length; at += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const bytes = Buffer.from(clean);
        bytes[at] = byte;
        const { handshake, drops } = waiting();
        handshake.received(Buffer.from(bytes), 0);
        const taken = steps(handshake);
        const first = bytes.subarray(0, bytes.indexOf(0));
        if (byte !== 0 && isUnclean(first)) {
          expect(taken, `byte ${byte} at ${at}`).toEqual([]);
          expect(drops.snapshot()).toEqual({ malformed: 1 });
        }
        const failures = taken.filter((step) => step.kind === 'failed');
        expect(failures.length).toBeLessThanOrEqual(1);
        for (const { error } of failures) {
          expect(error).toBeInstanceOf(OvpnError);
          expect(error.message).toMatch(PRINTABLE);
        }
      }
    }
  });
});

describe('a push without an end', () => {
  test('ends the session after so many parts, and nothing is kept of it', () => {
    const { handshake } = waiting();
    const part = Buffer.from(`PUSH_REPLY,${'route 1.2.3.4,'.repeat(60)}push-continuation 2\0`);
    let parts = 0;
    let failure: HandshakeStep | undefined;
    while (failure === undefined && parts < 1000) {
      handshake.received(Buffer.from(part), parts);
      failure = steps(handshake).find(({ kind }) => kind === 'failed');
      parts += 1;
    }
    expect(parts).toBeLessThanOrEqual(65);
    expect(failure).toMatchObject({ error: { code: 'OVPN_PUSH_INVALID' } });
    handshake.received(Buffer.from(part), parts);
    expect(steps(handshake)).toEqual([]);
  });
});
