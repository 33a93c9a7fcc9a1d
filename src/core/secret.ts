import { inspect } from 'node:util';

/**
 * Holds a password, a token or a private key so that it cannot be shown by accident: `toString`,
 * JSON and `inspect` give `[redacted]`. `reveal` is for the one place that needs the value.
 */
export class Secret<T extends string | Buffer = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
    Object.defineProperty(this, inspect.custom, { value: () => REDACTED });
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }
}

const REDACTED = '[redacted]';
