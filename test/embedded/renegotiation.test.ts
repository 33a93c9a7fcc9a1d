import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SOFT_RESET_REST_MS } from '../../src/controlchannel/control-channel.ts';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { VpnServer } from '../../src/server/vpn-server.ts';
import type { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { Site } from './site.ts';

/** All key ids that a session has, and the first one again. */
const KEY_IDS = [1, 2, 3, 4, 5, 6, 7, 1];
const MARGIN_MS = 20;
const PAUSE_MS = 10;
const PAGE_BYTES = 256 * 1024;
const PAGE = new SeededRandom(7).bytes(PAGE_BYTES);
const PAGE_SHA256 = sha256(PAGE);

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Fetches a page again and again over one connection until `done`; each copy must be equal. */
async function fetchUntil(dialer: TunDialer<VpnClient>, done: Promise<unknown>): Promise<number> {
  let going = true;
  void done.finally(() => {
    going = false;
  });
  const socket = await dialer.dial('tcp', '10.8.0.1:80');
  let copies = 0;
  let parts: Buffer[] = [];
  let length = 0;
  socket.write('a page, please');
  for await (const part of socket as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length < PAGE_BYTES) continue;
    expect(sha256(Buffer.concat(parts))).toBe(PAGE_SHA256);
    copies += 1;
    if (!going) break;
    parts = [];
    length = 0;
    await sleep(PAUSE_MS);
    socket.write('once more');
  }
  await done;
  return copies;
}

function servePage(dialer: TunDialer<VpnServer>): void {
  dialer.listen({ port: 80 }, (socket) => {
    socket.on('data', () => socket.write(PAGE));
    socket.on('error', () => {});
  });
}

describe('renegotiation under traffic, which is not disturbed', () => {
  // biome-ignore format: a table, one row a line
  test.concurrent.each([
    { who: 'the client', protocol: 'udp' },
    { who: 'the server', protocol: 'udp' },
    { who: 'both',       protocol: 'udp' },
    { who: 'the client', protocol: 'tcp' },
    { who: 'both',       protocol: 'tcp' },
  ] as const)('begun by $who over $protocol', async ({ who, protocol }) => {
    await using site = await Site.open({ protocol });
    servePage(site.serverDialer());
    const dialer = await site.dialer();
    const { client } = dialer;
    const keyIds: number[] = [];
    const ask = () => {
      if (who !== 'the server') client.renegotiate();
      if (who !== 'the client') site.server.renegotiate();
    };
    const done = new Promise<void>((resolve, reject) => {
      client.on('rekey', ({ keyId }) => {
        keyIds.push(keyId);
        if (keyIds.length === KEY_IDS.length) resolve();
        else setTimeout(ask, SOFT_RESET_REST_MS + MARGIN_MS);
      });
      client.on('down', ({ error }) => reject(error ?? new Error('closed')));
    });
    ask();
    expect(await fetchUntil(dialer, done)).toBeGreaterThan(10);
    expect(keyIds).toEqual(KEY_IDS);
  });
});

describe('reneg-sec', () => {
  test('of the server leads to new keys by itself', async () => {
    await using site = await Site.open({ server: { renegSecMs: 50 } });
    const client = await site.connected();
    expect(await once(client, 'rekey')).toEqual([{ keyId: 1 }]);
    expect(await once(client, 'rekey')).toEqual([{ keyId: 2 }]);
  });

  test('of the client, too', async () => {
    await using site = await Site.open({ server: { renegSecMs: 0 } });
    const client = await site.connected({ lines: ['reneg-sec 1'] });
    expect(await once(client, 'rekey')).toEqual([{ keyId: 1 }]);
  });
});
