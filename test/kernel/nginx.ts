import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentOf } from './content.ts';
import type { NetworkSpace } from './network-space.ts';

/** nginx in a namespace, on port 80 of all its addresses, with files of {@link contentOf}. */
export class Nginx {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tundial-nginx-'));

  constructor() {
    mkdirSync(join(this.#folder, 'files'));
    writeFileSync(join(this.#folder, 'nginx.conf'), CONFIGURATION);
  }

  /** Makes `/BYTES`. */
  addFile(bytes: number): void {
    const fd = openSync(join(this.#folder, 'files', `${bytes}`), 'w');
    for (const piece of contentOf(bytes)) writeSync(fd, piece);
    closeSync(fd);
  }

  /** Ends with the namespace. */
  async start(space: NetworkSpace): Promise<void> {
    const server = space.start(['nginx', '-p', this.#folder, '-c', 'nginx.conf', '-e', 'stderr']);
    await server.until('start worker process');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const CONFIGURATION = `
user root;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server { listen 80; listen [::]:80; root files; }
}
`;
