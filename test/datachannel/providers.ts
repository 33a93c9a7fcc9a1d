import { Crypto } from '@peculiar/webcrypto';
import type { RandomSource } from '../../src/core/random.ts';
import type { CipherProvider } from '../../src/datachannel/cipher-provider.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { type WebCrypto, webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';

type Subtle = WebCrypto['subtle'];

/** Every implementation of WebCrypto at hand. */
export const WEB_CRYPTOS: readonly { readonly name: string; readonly crypto: WebCrypto }[] = [
  { name: 'the crypto of Node', crypto: globalThis.crypto },
  { name: '@peculiar/webcrypto', crypto: new Crypto() },
];

/** Every provider, by name. */
export const PROVIDERS: readonly { readonly name: string; readonly provider: CipherProvider }[] = [
  { name: 'node:crypto', provider: nodeProvider },
  ...WEB_CRYPTOS.map(({ name, crypto }) => ({ name, provider: webCryptoProvider(crypto) })),
];

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A real `Crypto` that keeps its answers, good and bad, until they are let go. */
export class HeldCrypto implements WebCrypto {
  readonly subtle: Subtle;
  readonly #held: (() => void)[] = [];

  constructor() {
    const real: Subtle = globalThis.crypto.subtle;
    this.subtle = {
      importKey: ((...args: Parameters<Subtle['importKey']>) =>
        this.#count(real.importKey(...args))) as Subtle['importKey'],
      encrypt: (...args) => this.#hold(real.encrypt(...args)),
      decrypt: (...args) => this.#hold(real.decrypt(...args)),
      sign: (...args) => this.#hold(real.sign(...args)),
    };
  }

  /** How many answers the real one still owes, and are held. */
  busy = 0;

  get held(): number {
    return this.#held.length;
  }

  /** Waits until so many answers are held. */
  async holding(count: number): Promise<void> {
    while (this.#held.length < count) await turn();
  }

  /** Lets one answer go: the oldest, or any. */
  release(random?: RandomSource): void {
    const at = random === undefined ? 0 : random.uint32() % Math.max(this.#held.length, 1);
    this.#held.splice(at, 1)[0]?.();
  }

  async #hold<T>(answer: Promise<T>): Promise<T> {
    await this.#count(answer).catch(() => {});
    this.busy += 1;
    await new Promise<void>((resolve) => this.#held.push(resolve));
    this.busy -= 1;
    return answer;
  }

  async #count<T>(answer: Promise<T>): Promise<T> {
    this.busy += 1;
    try {
      return await answer;
    } finally {
      this.busy -= 1;
    }
  }
}
