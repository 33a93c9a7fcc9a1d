import { describe, expect, test } from 'vitest';
import { DropCounter } from '../../src/core/machine.ts';
import { Secret } from '../../src/core/secret.ts';
import { SessionMemory } from '../../src/tlsstate/agreement.ts';
import type { AuthenticationVerdict, HandshakeStep } from '../../src/tlsstate/handshake-step.ts';
import { encodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import { makeKeySource } from '../../src/tlsstate/key-source2.ts';
import { CLIENT_IV_PROTO } from '../../src/tlsstate/peer-info.ts';
import { ServerHandshake } from '../../src/tlsstate/server-handshake.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const COLOUR = { kind: 'cr-text', text: 'colour?', echo: false, responseRequired: true } as const;

/** A server that has a client's key exchange, at time 0, and has not judged it. */
function asked({ keyId = 0, memory = new SessionMemory() } = {}) {
  const handshake = new ServerHandshake(
    {
      optionsString: 'V4,tls-server',
      dataCiphers: ['AES-256-GCM'],
      dataCiphersFallback: undefined,
      handWindowMs: 60_000,
      peerId: 7,
      grants: { dynTlsCrypt: true, aeadEpoch: true },
      buildPush: ({ tokenOptions }) => [['PUSH_REPLY', 'peer-id 7', ...tokenOptions].join(',')],
    },
    {
      keyId,
      ids: { local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) },
      startedAt: 0,
      random: new SeededRandom(1),
      memory,
      drops: new DropCounter(),
      exportKey: (label) => Buffer.alloc(256, label),
    },
  );
  handshake.secured(undefined);
  const exchange = encodeKeyMethod2({
    source: makeKeySource('client', new SeededRandom(2)),
    options: undefined,
    username: 'ada',
    password: new Secret('hunter2'),
    peerInfo: `IV_CIPHERS=AES-256-GCM\nIV_PROTO=${CLIENT_IV_PROTO}\n`,
  });
  handshake.received(exchange, 0);
  /** What it did since it was looked at last: texts as they are sent, questions to its program. */
  const did = () => {
    const seen: string[] = [];
    for (let step = handshake.takeStep(); step !== undefined; step = handshake.takeStep()) {
      const text = shown(step);
      if (text !== undefined) seen.push(text);
    }
    return seen;
  };
  const judge = (verdict: AuthenticationVerdict, now = 0) => handshake.authenticated(verdict, now);
  const hear = (text: string, now: number) => handshake.received(Buffer.from(`${text}\0`), now);
  return { handshake, memory, did, judge, hear };
}

function shown(step: HandshakeStep): string | undefined {
  if (step.kind === 'authenticate') {
    const { pending, response } = step.request;
    return `asks pending=${pending} response=${response?.reveal()}`;
  }
  if (step.kind === 'failed') return `failed: ${step.error.message}`;
  if (step.kind !== 'record' || step.plaintext.readUInt32BE() === 0) return undefined;
  return step.plaintext.toString().replace('\0', '');
}

describe('ServerHandshake with a sign-in that takes longer', () => {
  test('tells what it waits for, and asks its program again with each answer', () => {
    const { did, judge, hear } = asked();
    expect(did()).toEqual(['asks pending=false response=undefined']);
    judge({ ok: false, pending: { timeoutMs: 20_000, question: COLOUR } });
    expect(did()).toEqual(['AUTH_PENDING,timeout 20', 'INFO_PRE,CR_TEXT:R:colour?']);
    hear('CR_RESPONSE,Ymx1ZQ==', 10);
    hear('CR_RESPONSE,Ymx1ZQ==', 20);
    expect(did()).toEqual(['asks pending=true response=blue']);
    judge({ ok: false, pending: { question: COLOUR } }, 30);
    expect(did()).toEqual(['AUTH_PENDING,timeout 60', 'INFO_PRE,CR_TEXT:R:colour?']);
    hear('CR_RESPONSE,Z3JlZW4=', 40);
    judge({ ok: true }, 50);
    expect(did()).toEqual(['asks pending=true response=green', 'PUSH_REPLY,peer-id 7']);
  });

  test('asks again while the client waits, at most once a second, and says nothing twice', () => {
    const { did, judge, hear } = asked();
    judge({ ok: false, pending: {} });
    did();
    for (const now of [1, 500, 999]) hear('PUSH_REQUEST', now);
    expect(did()).toEqual([]);
    hear('PUSH_REQUEST', 1_000);
    hear('PUSH_REQUEST', 5_000);
    expect(did()).toEqual(['asks pending=true response=undefined']);
    judge({ ok: false, pending: { question: COLOUR } }, 5_000);
    expect(did()).toEqual([]);
    hear('PUSH_REQUEST', 6_000);
    judge({ ok: true }, 6_000);
    expect(did().at(-1)).toBe('PUSH_REPLY,peer-id 7');
  });

  test('gives up in time', () => {
    const { handshake, did, judge } = asked();
    judge({ ok: false, pending: { timeoutMs: 20_000 } }, 1_000);
    did();
    expect(handshake.nextTimeout()).toBe(21_000);
    handshake.onTimeout(21_000);
    expect(did()).toEqual([
      expect.stringMatching(/^failed: the client did not get past "pending"/),
    ]);
  });

  test('answers to a question that nobody asked have no effect', () => {
    const { did, judge, hear } = asked();
    hear('CR_RESPONSE,Ymx1ZQ==', 1);
    did();
    judge({ ok: true });
    hear('CR_RESPONSE,Ymx1ZQ==', 2);
    expect(did()).toEqual(['PUSH_REPLY,peer-id 7']);
  });

  test('in a renegotiation it is a refusal', () => {
    const { did, judge } = asked({ keyId: 1 });
    judge({ ok: false, pending: {} });
    expect(did()).toContain('AUTH_FAILED');
  });
});

describe('what a server says to a sign-in', () => {
  const challenge = { text: 'code?', stateId: 'abc' };

  // biome-ignore format: a table, one row a line
  test.each<{ name: string; verdict: AuthenticationVerdict; says: string }>([
    { name: 'a refusal',             verdict: { ok: false },                                                        says: 'AUTH_FAILED' },
    { name: 'a reason',              verdict: { ok: false, reason: 'closed' },                                      says: 'AUTH_FAILED,closed' },
    { name: 'later',                 verdict: { ok: false, temporary: true, backoffMs: 7_000, advance: 'remote' },  says: 'AUTH_FAILED,TEMP[backoff 7,advance remote]' },
    { name: 'an expired token',      verdict: { ok: false, session: true, reason: 'expired' },                      says: 'AUTH_FAILED,SESSION:expired' },
    { name: 'a challenge',           verdict: { ok: false, challenge },                                             says: 'AUTH_FAILED,CRV1:R:abc:YWRh:code?' },
    { name: 'a challenge to show',   verdict: { ok: false, challenge: { ...challenge, echo: true, username: 'eve' } }, says: 'AUTH_FAILED,CRV1:E,R:abc:ZXZl:code?' },
    { name: 'yes',                   verdict: { ok: true },                                                         says: 'PUSH_REPLY,peer-id 7' },
    { name: 'yes, with a token',     verdict: { ok: true, token: 'T' },                                             says: 'PUSH_REPLY,peer-id 7,auth-token T' },
    { name: 'yes, with a token for another name', verdict: { ok: true, token: 'T', tokenUser: 'eve' },              says: 'PUSH_REPLY,peer-id 7,auth-token T,auth-token-user ZXZl' },
  ])('$name', ({ verdict, says }) => {
    const { did, judge } = asked();
    judge(verdict);
    expect(did().at(-1)).toBe(says);
  });

  test('a renegotiation is told of nothing but a newer token', () => {
    const first = asked();
    first.judge({ ok: true, token: 'T1' });
    for (const token of ['T2', undefined]) {
      const { did, judge } = asked({ keyId: 1, memory: first.memory });
      judge({ ok: true, ...(token !== undefined && { token }) });
      const texts = did().filter((text) => !text.startsWith('asks'));
      expect(texts).toEqual(token === undefined ? [] : ['PUSH_REPLY,auth-token T2']);
    }
  });
});
