import { afterEach, describe, expect, test } from 'vitest';
import { hasControlCharacter, printable } from '../../src/core/log.ts';
import { encodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import { makeKeySource } from '../../src/tlsstate/key-source2.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { serverOptions } from './certificates.ts';
import { createClient, identityOf, pki } from './pair.ts';
import { RawServer } from './raw-server.ts';

const PUSH = 'PUSH_REPLY,cipher AES-256-GCM,peer-id 3,protocol-flags tls-ekm\0';
const serverCertificate = pki.authority.issue(serverOptions());

let stop = () => {};
afterEach(() => stop());

/** A client with a tunnel to a server that says bytes as they are, inside genuine TLS. */
async function connected() {
  const server = new RawServer(serverCertificate);
  const client = createClient({ identity: identityOf(pki.client) });
  stop = () => {
    client.service.stop();
    server.stop();
  };
  await server.serve(client);
  const say = async (bytes: Buffer) => {
    server.socket?.write(bytes);
    await server.settle(client);
  };
  await say(
    encodeKeyMethod2({
      source: makeKeySource('server', new SeededRandom(2)),
      options: 'V4,tls-server',
      username: undefined,
      password: undefined,
      peerInfo: undefined,
    }),
  );
  await say(Buffer.from(PUSH));
  expect(client.keysEstablished).toHaveLength(1);
  client.messages.length = 0;
  return { client, say };
}

describe('a text of the server with bytes above ASCII', () => {
  test.each([
    { name: 'two bytes each', text: 'grüße' },
    { name: 'three and four', text: '試験 🦊' },
    { name: 'C1 controls', text: '\u009b2J\u009d0;x\u009c' },
    { name: 'a direction mark', text: '\u202etxt' },
    { name: 'a byte order mark', text: '\ufeffx' },
    { name: 'the replacement character itself', text: '\ufffd' },
  ])('passes as UTF-8, and is shown in ASCII: $name', async ({ text }) => {
    const { client, say } = await connected();
    await say(Buffer.from(`INFO,${text}\0`));
    expect(client.messages).toEqual([{ kind: 'info', text }]);
    expect(printable(text)).toMatch(/^[\x20-\x7e]+$/);

    await say(Buffer.from(`RESTART,${text}\0`));
    expect(client.code).toBe('OVPN_PEER_RESTART');
    expect(hasControlCharacter(client.error?.message ?? '\0')).toBe(false);
    expect(client.error?.message).toMatch(/^[\x20-\x7e]+$/);
  });

  test.each([
    { name: 'Latin-1', hex: '6772fcdf65' },
    { name: 'a continuation alone', hex: '80' },
    { name: 'a character cut off', hex: 'e282' },
    { name: 'a character cut off by another', hex: 'e28241' },
    { name: 'a longer form than needed', hex: 'c0af' },
    { name: 'half of a surrogate pair', hex: 'eda080' },
    { name: 'above U+10FFFF', hex: 'f4908080' },
    { name: 'five bytes', hex: 'f888808080' },
    { name: 'no UTF-8 at all', hex: 'fffe' },
  ])('passes with U+FFFD where it is not UTF-8: $name', async ({ hex }) => {
    const { client, say } = await connected();
    const bytes = Buffer.from(hex, 'hex');
    for (const begin of ['INFO,', 'PUSH_REPLY,route ', '']) {
      await say(Buffer.concat([Buffer.from(begin), bytes, Buffer.of(0)]));
    }
    expect(client.errors).toEqual([]);
    expect(client.messages[0]).toMatchObject({
      kind: 'info',
      text: expect.stringContaining('\ufffd'),
    });

    await say(Buffer.concat([Buffer.from('AUTH_FAILED,'), bytes, Buffer.of(0)]));
    expect(client.code).toBe('OVPN_AUTH_FAILED');
    expect(client.error?.message).toMatch(/^[\x20-\x7e]+$/);
  });

  test('may be cut anywhere between two records', async () => {
    const { client, say } = await connected();
    const bytes = Buffer.from('INFO,ü試🦊\0');
    for (let at = 1; at < bytes.length; at += 1) {
      await say(bytes.subarray(0, at));
      await say(bytes.subarray(at));
    }
    const info = { kind: 'info', text: 'ü試🦊' };
    expect(client.messages).toEqual(Array.from({ length: bytes.length - 1 }, () => info));
  });
});
