// Opens one tunnel after the other, fetches a page through each, renegotiates meanwhile, and tells
// what came of it: one JSON line a tunnel.
//   node tunnel-client.js FILE
// FILE: JSON, an array of what `TunnelRow` (tunnel-client.ts) describes.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { startNewTunDialer } from '../../dist/index.js';

const REKEY_MS = 20_000;
const PING_MS = 500;

for (const row of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const startedAt = performance.now();
  const outcome = await attempt(row);
  const elapsedMs = Math.round(performance.now() - startedAt);
  console.log(JSON.stringify({ event: 'row', name: row.name, ...outcome, elapsedMs }));
}

async function attempt({ profile, options, url, rekey, pings = [] }) {
  let dialer;
  try {
    dialer = await startNewTunDialer({ profile, ...options });
    const { info, localPort } = dialer.client;
    const page = url === undefined ? {} : await download(dialer, url, rekey);
    const replies = await Promise.all(pings.map((bytes) => ping(dialer, info.gateway, bytes)));
    const { drops } = dialer.client.stats;
    return { info, localPort, drops, ...page, pings: replies };
  } catch (error) {
    const { code, message } = error;
    return { error: { code, message }, drops: dialer?.client.stats.drops };
  } finally {
    await dialer?.close();
  }
}

/** Whether an echo of that many bytes comes back. */
async function ping(dialer, host, payloadBytes) {
  for await (const { error } of dialer.ping(host, { count: 1, timeoutMs: PING_MS, payloadBytes })) {
    return error === undefined;
  }
}

/** Reads a page; does not read on from `waitAtByte` before the tunnel has new keys. */
async function download(dialer, url, { startAtByte = Infinity, waitAtByte = Infinity } = {}) {
  const { client } = dialer;
  const rekeys = [];
  let bytes = 0;
  let isStarted = false;
  client.on('rekey', ({ keyId }) => rekeys.push({ keyId, atByte: bytes }));
  const hash = createHash('sha256');
  const response = await dialer.fetch(url);
  for await (const chunk of response.body) {
    hash.update(chunk);
    bytes += chunk.length;
    if (!isStarted && bytes >= startAtByte) {
      isStarted = true;
      client.renegotiate();
    }
    if (bytes >= waitAtByte && rekeys.length === 0) {
      await once(client, 'rekey', { signal: AbortSignal.timeout(REKEY_MS) });
    }
  }
  return { status: response.status, bytes, sha256: hash.digest('hex'), rekeys };
}
