import tls from 'node:tls';
import { TlsBio } from '../../src/tlsstate/tls-bio.ts';
import type { Issued } from './certificates.ts';
import type { End } from './pair.ts';

/** A hostile server: node:tls alone, no checks, every byte that the client reveals written down. */
export class RawServer {
  readonly plaintext: Buffer[] = [];
  readonly errors: string[] = [];
  socket: tls.TLSSocket | undefined;
  readonly #bio: TlsBio = new TlsBio(() => {});

  constructor(issued: Pick<Issued, 'certPem' | 'keyPem'>, options: tls.TlsOptions = {}) {
    const server = tls.createServer({
      cert: issued.certPem,
      key: issued.keyPem,
      ciphers: 'DEFAULT@SECLEVEL=0',
      ...options,
    });
    server.on('secureConnection', (socket) => {
      this.socket = socket;
      socket.on('error', (error) => this.errors.push(error.message));
      socket.on('data', (plaintext: Buffer) => this.plaintext.push(plaintext));
    });
    server.on('tlsClientError', (error) => this.errors.push(error.message));
    server.emit('connection', this.#bio);
    this.#bio.on('error', (error) => this.errors.push(error.message));
  }

  get receivedBytes(): number {
    return this.plaintext.reduce((sum, { length }) => sum + length, 0);
  }

  /** One turn of the wire between it and a client. */
  exchange(client: End, now: number): boolean {
    let moved = client.run(now);
    for (let chunk = client.ports.tlsToControl.take(); chunk !== undefined; ) {
      this.#bio.feed(chunk.bytes);
      chunk = client.ports.tlsToControl.take();
      moved = true;
    }
    while (!client.ports.controlToTls.full) {
      const bytes = this.#bio.takeOutput(1150);
      if (bytes === undefined) break;
      client.ports.controlToTls.push({ keyId: 0, bytes });
      moved = true;
    }
    return moved;
  }

  /** Begins key id 0 and lets both work until nothing moves any more. */
  async serve(client: End): Promise<void> {
    client.ports.hardResetDone.push({ local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) });
    await this.settle(client);
  }

  async settle(client: End): Promise<void> {
    for (let quiet = 0; quiet < 12; ) {
      quiet = this.exchange(client, 0) ? 0 : quiet + 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  stop(): void {
    this.socket?.destroy();
    this.#bio.destroy();
  }
}
