import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Drop } from '../../src/core/machine.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import { opcodeName } from '../../src/model/opcode.ts';
import type { ControlPacket } from '../../src/model/packet.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import {
  createThrowAwayServer,
  type ThrowAwayOptions,
} from '../../src/server/throw-away-server.ts';
import { WRAP_KINDS } from '../../src/server/throw-away-wrap.ts';
import type { VpnClientOptions } from '../../src/vpnclient/options.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { pingOnce, startError } from './site.ts';

const GATEWAY = '10.8.0.1';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server with these options; its clients. */
async function setUp(options: ThrowAwayOptions) {
  const { server, profile } = await createThrowAwayServer(options);
  await server.listen();
  closing.push(() => server.close());
  const serverDialer = TunDialer.over(server);
  closing.push(() => serverDialer.close());
  const client = (more: Partial<VpnClientOptions> = {}, edit = (text: string) => text) => {
    const made = new VpnClient({ profile: edit(profile(server.address())), ...more });
    made.on('error', () => {});
    closing.push(() => made.close());
    return made;
  };
  return { server, client };
}

/** Opcode, key id and message id of what a client sent; what its muxer refused. */
class ControlLog implements Tracer {
  readonly sent: string[] = [];
  readonly refused: number[] = [];

  controlOut({ opcode, keyId, packetId }: ControlPacket): void {
    this.sent.push(`${opcodeName(opcode)} ${keyId} ${packetId}`);
  }

  dropped(layer: string, reason: Drop): void {
    if (layer === 'packetmuxer') this.refused.push(reason);
  }
}

async function renegotiated(client: VpnClient, by: { renegotiate(): void }): Promise<void> {
  const rekeyed = once(client, 'rekey');
  by.renegotiate();
  await rekeyed;
}

describe.each(['udp', 'tcp'] as const)('over %s', (protocol) => {
  describe.each(WRAP_KINDS)('%s', (wrap) => {
    test('protects a session, and dynamic tls-crypt its renegotiations by either end', async () => {
      const log = new ControlLog();
      const { server, client } = await setUp({ protocol, wrap, auth: 'SHA256' });
      const joined = client({ tracer: log });
      await joined.start();
      await using dialer = TunDialer.over(joined);
      expect(joined.profile.wrap.kind).toBe(wrap);
      expect(await pingOnce(dialer, GATEWAY)).toBeGreaterThan(0);
      for (const by of [joined, server]) {
        await renegotiated(joined, by);
        expect(await pingOnce(dialer, GATEWAY)).toBeGreaterThan(0);
      }
      expect(log.refused).toEqual([]);
      const isV2 = wrap === 'tls-crypt-v2';
      const reset = isV2 ? 'V3' : 'V2';
      const first = isV2 && protocol === 'udp' ? 'WKC_V1' : 'V1';
      expect(log.sent[0]).toBe(`P_CONTROL_HARD_RESET_CLIENT_${reset} 0 0`);
      expect(log.sent.find((packet) => packet.endsWith(' 0 1'))).toBe(`P_CONTROL_${first} 0 1`);
      expect(
        log.sent.filter((packet) => packet.includes('WKC') && !packet.endsWith(' 0 1')),
      ).toEqual([]);
    });

    test('protects renegotiations too where dynamic tls-crypt is not granted', async () => {
      const { server, client } = await setUp({ protocol, wrap, dynTlsCrypt: false });
      const joined = client();
      await joined.start();
      await using dialer = TunDialer.over(joined);
      await renegotiated(joined, server);
      expect(await pingOnce(dialer, GATEWAY)).toBeGreaterThan(0);
    });
  });
});

describe('clients with another wrap than the server’s', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'another key',   edit: (text: string) => text },
    { name: 'no wrap',       edit: (text: string) => text.replace(/<tls-crypt-v2>[\s\S]*<\/tls-crypt-v2>/, '') },
  ])('get no answer: $name', async ({ name, edit }) => {
    const { client, server } = await setUp({ wrap: 'tls-crypt-v2' });
    const other = await setUp({ wrap: 'tls-crypt-v2' });
    const { port } = server.address();
    const foreign = name === 'another key' ? other.client : client;
    const quick = (text: string) =>
      edit(text).replace(/^remote .*$/m, `remote 127.0.0.1 ${port}\nserver-poll-timeout 1`);
    const refused = foreign({}, quick);
    expect(await startError(refused)).toMatchObject({ retryable: true });
    expect(server.peers).toEqual([]);
    await client().start();
    expect(server.peers).toHaveLength(1);
  });
});

describe('what goes with the wrap', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'CBC and SHA512 under tls-auth', options: { wrap: 'tls-auth', auth: 'SHA512', dataCiphers: ['AES-192-CBC'] }, cipher: 'AES-192-CBC' },
    { name: 'CBC, comp-lzo no',              options: { compression: 'comp-lzo-no', dataCiphers: ['AES-128-CBC'] },       cipher: 'AES-128-CBC' },
    { name: 'compress stub',                 options: { compression: 'stub' },                                            cipher: 'AES-256-GCM' },
    { name: 'compress stub-v2',              options: { compression: 'stub-v2', dataCiphers: ['AES-192-GCM'] },           cipher: 'AES-192-GCM' },
    { name: 'no epochs',                     options: { aeadEpoch: false },                                               cipher: 'AES-256-GCM' },
    { name: 'neither epochs nor a wrap for renegotiations', options: { wrap: 'none', aeadEpoch: false, dynTlsCrypt: false }, cipher: 'AES-256-GCM' },
  ] as const)('$name: packets pass, before and after a renegotiation', async ({ options, cipher }) => {
    const { client } = await setUp(options);
    const joined = client();
    expect(await joined.start()).toMatchObject({ cipher });
    await using dialer = TunDialer.over(joined);
    expect(await pingOnce(dialer, GATEWAY)).toBeGreaterThan(0);
    await renegotiated(joined, joined);
    expect(await pingOnce(dialer, GATEWAY)).toBeGreaterThan(0);
  });
});
