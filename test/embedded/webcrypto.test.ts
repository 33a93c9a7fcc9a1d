import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Crypto } from '@peculiar/webcrypto';
import { describe, expect, test } from 'vitest';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { Site, startError } from './site.ts';

const PAGE = new SeededRandom(11).bytes(1024 * 1024);
const node = webCryptoProvider(globalThis.crypto);
const peculiar = webCryptoProvider(new Crypto());

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('a session on WebCrypto', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the client',                 client: node,     server: nodeProvider, protocol: 'udp', lines: [] },
    { name: 'the client, without epochs', client: node,     server: nodeProvider, protocol: 'udp', lines: [], epoch: false },
    { name: 'the client over TCP',        client: peculiar, server: nodeProvider, protocol: 'tcp', lines: [] },
    { name: 'both',                       client: node,     server: peculiar,     protocol: 'udp', lines: [] },
    { name: 'both, with CBC',             client: peculiar, server: node,         protocol: 'udp', lines: ['data-ciphers AES-256-CBC', 'auth SHA256'] },
  ] as const)('$name: a megabyte both ways while keys are replaced', async (row) => {
    const { client: cipherProvider, protocol, lines } = row;
    const isCbc = lines.length > 0;
    await using site = await Site.open({
      protocol,
      server: {
        cipherProvider: row.server,
        aeadEpoch: !('epoch' in row),
        ...(isCbc && { dataCiphers: ['AES-256-CBC'], auth: 'SHA256' }),
      },
    });
    site.serverDialer().listen({ port: 7 }, (socket) => socket.pipe(socket));
    const dialer = await site.dialer({ lines }, { cipherProvider });
    const { client } = dialer;
    expect(client.info.cipher).toBe(isCbc ? 'AES-256-CBC' : 'AES-256-GCM');
    const socket = await dialer.dial('tcp', '10.8.0.1:7');
    const rekeyed = once(client, 'rekey');
    socket.end(PAGE);
    const parts: Buffer[] = [];
    for await (const part of socket as AsyncIterable<Buffer>) {
      if (parts.length === 0) client.renegotiate();
      parts.push(part);
    }
    expect(sha256(Buffer.concat(parts))).toBe(sha256(PAGE));
    expect(await rekeyed).toEqual([{ keyId: 1 }]);
    const { datachannel } = client.stats.drops;
    expect(datachannel).toEqual({});
  });

  test('is left in order: the server is told', async () => {
    await using site = await Site.open({ server: { cipherProvider: node } });
    const client = await site.connected({}, { cipherProvider: node, ivProto: 0 });
    // Without its last words it would be missed after a minute of silence only.
    const left = once(site.server, 'disconnect');
    await client.close();
    const [{ error }] = await left;
    expect(error).toBeUndefined();
  });

  test('offers what WebCrypto has, and does not start with nothing to offer', async () => {
    await using site = await Site.open({ server: { dataCiphers: ['CHACHA20-POLY1305'] } });
    const lines = (...names: string[]) => ({ lines: [`data-ciphers ${names.join(':')}`] });
    const both = site.client(lines('CHACHA20-POLY1305', 'AES-256-GCM'), { cipherProvider: node });
    expect(await startError(both)).toMatchObject({ code: 'OVPN_NO_SHARED_CIPHER' });
    const none = site.client(lines('CHACHA20-POLY1305'), { cipherProvider: node });
    expect(await startError(none)).toMatchObject({ code: 'OVPN_USAGE' });
  });
});
