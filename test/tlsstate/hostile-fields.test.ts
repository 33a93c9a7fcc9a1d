import fc from 'fast-check';
import forge from 'node-forge';
import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { DropCounter } from '../../src/core/machine.ts';
import { Secret } from '../../src/core/secret.ts';
import {
  type ControlMessage,
  encodeControlMessage,
  parseControlMessage,
} from '../../src/tlsstate/control-message.ts';
import { ControlTextReader } from '../../src/tlsstate/control-text.ts';
import { type DerNode, readDer } from '../../src/tlsstate/der.ts';
import { decodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';

describe('the lengths of strings in a key exchange message', () => {
  const SERVER_HEAD = Buffer.concat([Buffer.from('0000000002', 'hex'), Buffer.alloc(64, 1)]);
  const CLIENT_HEAD = Buffer.concat([Buffer.from('0000000002', 'hex'), Buffer.alloc(112, 1)]);

  test('any of 0 to 65,535 counts only where such a text is there', () => {
    const text = Buffer.from('V4,tls-server\0');
    const length = Buffer.alloc(2);
    for (let told = 0; told <= 0xffff; told += 1) {
      length.writeUInt16BE(told);
      const decoded = decodeKeyMethod2(Buffer.concat([SERVER_HEAD, length, text]), 'server');
      // Behind an absent text the next length is read from "V4": more than there is.
      const fits = told === text.length;
      if (!(decoded instanceof OvpnProtocolError) !== fits) expect.fail(`a length of ${told}`);
    }
  });

  test('that lie give a typed error or texts that are there, at every one of the four', () => {
    const field = fc.record({
      off: fc.oneof(fc.constant(0), fc.integer({ min: -3, max: 3 }), fc.nat(0xffff)),
      bytes: fc.uint8Array({ maxLength: 40 }),
      ends: fc.boolean(),
    });
    const fields = fc.array(field, { maxLength: 5 });
    fc.assert(
      fc.property(fields, fc.boolean(), (strings, isClient) => {
        const tail = strings.flatMap(({ off, bytes, ends }) => {
          const content = ends ? Buffer.concat([bytes, Buffer.of(0)]) : Buffer.from(bytes);
          const length = Buffer.alloc(2);
          length.writeUInt16BE(Math.min(Math.max(content.length + off, 0), 0xffff));
          return [length, content];
        });
        const message = Buffer.concat([isClient ? CLIENT_HEAD : SERVER_HEAD, ...tail]);
        const decoded = decodeKeyMethod2(message, isClient ? 'client' : 'server');
        if (decoded instanceof OvpnProtocolError) return;
        const { options, username, password, peerInfo } = decoded;
        for (const text of [options, username, password?.reveal(), peerInfo]) {
          if (text !== undefined) expect(message.includes(`${text}\0`)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('control messages', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'B', '7', ' ', ':', '-', 'é'),
    maxLength: 30,
  });
  const said = text.filter((one) => one !== '');
  const word = fc.stringMatching(/^[A-Za-z0-9+/=-]{1,20}$/);
  const seconds = fc.nat(86_400).map((count) => count * 1000);
  const plain = { temporary: undefined, session: false, challenge: undefined };
  const message: fc.Arbitrary<ControlMessage> = fc.oneof(
    fc.constantFrom<ControlMessage>({ kind: 'push-request' }, { kind: 'exit' }),
    fc.record({ kind: fc.constant('push-reply'), options: fc.array(said) }),
    fc.record({ kind: fc.constant('auth-pending'), timeoutMs: seconds }),
    fc.record({
      kind: fc.constantFrom('restart', 'halt'),
      flags: fc.stringMatching(/^[A-Z]{0,3}$/),
      text,
    }),
    fc.record({ kind: fc.constantFrom('info', 'info-pre', 'cr-response'), text }),
    fc
      .record({ backoffMs: seconds, advance: fc.constantFrom('no', 'addr', 'remote'), text: said })
      .map(({ text: reason, ...temporary }) => ({
        kind: 'auth-failed' as const,
        ...plain,
        reason,
        temporary,
      })),
    fc
      .record({
        echo: fc.boolean(),
        responseRequired: fc.boolean(),
        stateId: word,
        username: text,
        text,
      })
      .map(({ stateId, ...challenge }) => ({
        kind: 'auth-failed' as const,
        ...plain,
        reason: challenge.text,
        challenge: { ...challenge, stateId: new Secret(stateId) },
      })),
  );

  test('are read back as they were written', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const [received, ...more] =
          new ControlTextReader(new DropCounter()).push(encodeControlMessage(sent)) ?? [];
        expect(more).toEqual([]);
        expect(shown(parseControlMessage(received ?? ''))).toEqual(shown(sent));
      }),
      { numRuns: 1000 },
    );
  });

  test('any bytes give clean texts, of which each is a message', () => {
    const names = ['PUSH_REPLY', 'AUTH_FAILED', 'AUTH_PENDING', 'RESTART', 'HALT', 'INFO', 'EXIT'];
    const piece = fc.oneof(
      fc.constantFrom(...names, ',', ':', '[', ']', '"', '\\', '\0', 'CRV1', 'TEMP', 'timeout 1'),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const bytes = Buffer.from(`${pieces.join('')}\0`, 'latin1');
        const texts = new ControlTextReader(new DropCounter()).push(bytes) ?? [];
        for (const one of texts) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          expect(one).not.toMatch(/[\x00-\x1f\x7f]/);
          expect(typeof parseControlMessage(one).kind).toBe('string');
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('readDer', () => {
  const { asn1 } = forge;

  test('reads any tree that is written', () => {
    const { node } = fc.letrec<{ node: DerNode }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.record({
          tag: fc.constantFrom(0x02, 0x04, 0x0c, 0x13),
          contextual: fc.constant(false),
          children: fc.constant([]),
          content: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => {
            // An integer may not begin with a byte that says nothing.
            bytes[0] = 0x21;
            return Buffer.from(bytes);
          }),
        }),
        fc.record({
          tag: fc.constantFrom(0x10, 0x11),
          contextual: fc.boolean(),
          children: fc.array(tie('node'), { maxLength: 5 }),
          content: fc.constant(Buffer.alloc(0)),
        }),
      ),
    }));
    fc.assert(
      fc.property(node, (tree) => {
        expect(readDer(Buffer.from(asn1.toDer(written(tree)).getBytes(), 'latin1'))).toEqual(tree);
      }),
    );
  });

  function written({ tag, contextual, children, content }: DerNode): forge.asn1.Asn1 {
    const tagClass = contextual ? asn1.Class.CONTEXT_SPECIFIC : asn1.Class.UNIVERSAL;
    const isPrimitive = content.length > 0;
    const value = isPrimitive ? content.toString('latin1') : children.map(written);
    return asn1.create(tagClass, tag, !isPrimitive, value);
  }
});

/** A message with its secret laid open. */
function shown(message: ControlMessage): unknown {
  if (message.kind !== 'auth-failed' || message.challenge === undefined) return message;
  const { stateId, ...challenge } = message.challenge;
  return { ...message, challenge: { ...challenge, stateId: stateId.reveal() } };
}
