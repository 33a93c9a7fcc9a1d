import type { Background } from './commands.ts';

/** Where the lab's web servers listen. */
export const WEB_PORT = 8080;

/** A running web server (see `pages.js`), with its own account of what passed it. */
export class PageServer {
  readonly #background: Background;
  readonly #addresses: Readonly<Record<4 | 6, string>>;

  constructor(background: Background, addresses: Readonly<Record<4 | 6, string>>) {
    this.#background = background;
    this.#addresses = addresses;
  }

  /** The URL of a page by the tunnel's IPv4 or IPv6. */
  url(path: string, family: 4 | 6 = 4): string {
    const host = family === 4 ? this.#addresses[4] : `[${this.#addresses[6]}]`;
    return `http://${host}:${WEB_PORT}${path}`;
  }

  /** SHA-256 of what it sent or got for that path, once that is done. */
  async sha256(path: string): Promise<string> {
    const mark = `"url":${JSON.stringify(path)}`;
    await this.#background.until(mark);
    const line = this.#background.stdout.split('\n').find((text) => text.includes(mark)) ?? '';
    return (JSON.parse(line) as { sha256: string }).sha256;
  }
}
