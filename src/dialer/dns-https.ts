import type { Pool } from 'undici';
import type { DnsSend } from './dns-query.ts';
import { type ConnectInside, connectSecurely, type DnsTrust } from './dns-secure.ts';
import type { DnsServer } from './dns-server.ts';
import type { DnsExchange, DnsExchangeEvents } from './dns-transport.ts';
import { undici } from './undici.ts';

/** Where servers take questions; OpenVPN's options have no word for another place. */
export const DOH_PATH = '/dns-query';
/** Most connections to one server; HTTP/1.1 has one question on each. */
export const MAX_CONNECTIONS = 4;

const MEDIA_TYPE = 'application/dns-message';
const MAX_MESSAGE_BYTES = 65_535;
const KEPT_MS = 10_000;
const HTTP_OK = 200;

/** DNS over HTTPS (RFC 8484), by POST. */
export class DnsHttps {
  readonly #connect: ConnectInside;
  readonly #trust: DnsTrust;
  readonly #pools = new Map<DnsServer, Pool>();

  constructor(connect: ConnectInside, trust: DnsTrust) {
    this.#connect = connect;
    this.#trust = trust;
  }

  open({ server, message }: DnsSend, events: DnsExchangeEvents): DnsExchange {
    const abort = new AbortController();
    const { signal } = abort;
    this.#post(server, message, signal).then(
      (answer) => {
        if (!signal.aborted) events.message(answer);
      },
      (error: Error) => {
        if (!signal.aborted) events.failed(error);
      },
    );
    return { close: () => abort.abort() };
  }

  /** May be called twice. */
  close(): void {
    for (const pool of this.#pools.values()) void pool.destroy();
    this.#pools.clear();
  }

  async #post(server: DnsServer, message: Buffer, signal: AbortSignal): Promise<Buffer> {
    const { statusCode, headers, body } = await this.#pool(server).request({
      method: 'POST',
      path: DOH_PATH,
      headers: { 'content-type': MEDIA_TYPE, accept: MEDIA_TYPE },
      body: message,
      signal,
    });
    const mediaType = String(headers['content-type']).split(';', 1)[0]?.trim().toLowerCase();
    if (statusCode !== HTTP_OK || mediaType !== MEDIA_TYPE) {
      body.destroy();
      throw new Error(`expected HTTP 200 and ${MEDIA_TYPE}, got HTTP ${statusCode}`);
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_MESSAGE_BYTES) throw new Error(`expected at most ${MAX_MESSAGE_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #pool(server: DnsServer): Pool {
    const kept = this.#pools.get(server);
    if (kept !== undefined) return kept;
    const { address, port, sni } = server;
    const host = sni ?? (address.family === 6 ? `[${address}]` : address.toString());
    const { Pool } = undici();
    const pool = new Pool(`https://${host}:${port}`, {
      connections: MAX_CONNECTIONS,
      keepAliveTimeout: KEPT_MS,
      connect: (_target, callback) => {
        const socket = connectSecurely(this.#connect, server, this.#trust, 'http/1.1');
        const onError = (error: Error) => callback(error, null);
        socket.once('error', onError).once('secureConnect', () => {
          socket.removeListener('error', onError);
          callback(null, socket);
        });
      },
    });
    this.#pools.set(server, pool);
    return pool;
  }
}
