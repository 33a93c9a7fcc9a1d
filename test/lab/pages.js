// What the web servers behind the tunnels answer: `GET /bytes/N` gives N bytes, `PUT` takes any.
//   ?seed=S   other bytes       ?mbit=R   not faster than R Mbit/s
//   ?period=P every 64 KiB repeat their first P bytes
// One JSON line per exchange: method, url, bytes and sha256 of what passed the server itself.
import { createCipheriv, createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK_BYTES = 64 * 1024;

/** A listener for the `request` event of an `http.Server`. */
export function answer(request, response) {
  exchange(request, response).catch((error) => console.error(`${request.url}: ${error.message}`));
}

async function exchange(request, response) {
  const { method, url } = request;
  const { pathname, searchParams } = new URL(url, 'http://lab');
  const [, length] = /^\/bytes\/(\d+)$/.exec(pathname) ?? [];
  const { pass, reading } = meter();
  try {
    if (method === 'PUT') {
      await pipeline(request, pass, nowhere());
    } else if (length === undefined) {
      response.writeHead(404);
    } else {
      response.writeHead(200, { 'content-length': length });
      const period = Number(searchParams.get('period') ?? CHUNK_BYTES);
      const chunks = pattern(Number(length), searchParams.get('seed') ?? '', period);
      await pipeline(paced(chunks, Number(searchParams.get('mbit') ?? 0)), pass, response);
    }
  } finally {
    console.log(JSON.stringify({ method, url, ...reading() }));
    if (!response.writableEnded) response.end();
  }
}

/** The same N bytes for the same seed: AES-256-CTR over zeros. */
function* pattern(length, seed, period) {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  for (let left = length; left > 0; left -= CHUNK_BYTES) {
    const bytes = cipher.update(Buffer.alloc(Math.min(CHUNK_BYTES, left)));
    yield period < bytes.length ? Buffer.alloc(bytes.length, bytes.subarray(0, period)) : bytes;
  }
}

/** Hands chunks on no faster than `mbit`; 0 is as fast as they are taken. */
async function* paced(chunks, mbit) {
  const startedAt = performance.now();
  let bytes = 0;
  for (const chunk of chunks) {
    const dueAt = mbit > 0 ? startedAt + (bytes * 8) / (mbit * 1000) : 0;
    if (dueAt > performance.now()) await sleep(dueAt - performance.now());
    bytes += chunk.length;
    yield chunk;
  }
}

/** Passes chunks on, and knows how many bytes and which. */
function meter() {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    async *pass(chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    },
    reading: () => ({ bytes, sha256: hash.digest('hex') }),
  };
}

function nowhere() {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
