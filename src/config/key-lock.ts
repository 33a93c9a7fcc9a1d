/** Why a key stays locked: it needs another passphrase, or none would help. */
export interface LockedKey {
  readonly locked: 'wrong-passphrase' | 'unreadable';
  /** For people; holds nothing of the key or the passphrase. */
  readonly reason: string;
}

/** Ends the reading of a key from wherever it is; never leaves this folder. */
export class LockError extends Error {
  readonly outcome: LockedKey;

  constructor(outcome: LockedKey) {
    super(outcome.reason);
    this.outcome = outcome;
  }
}

/** @throws LockError always */
export function unreadable(reason: string): never {
  throw new LockError({ locked: 'unreadable', reason });
}

/** @throws LockError always */
export function wrongPassphrase(): never {
  throw new LockError({
    locked: 'wrong-passphrase',
    reason: 'the passphrase does not open it',
  });
}

/** What `read` gives, or why the key stays locked. */
export function lockedOr<T>(read: () => T): T | LockedKey {
  try {
    return read();
  } catch (error) {
    if (error instanceof LockError) return error.outcome;
    throw error;
  }
}

/** Most rounds of key derivation that one file may ask for, all its parts together. */
export const MAX_DERIVATION_ROUNDS = 5_000_000;

/** Rounds of key derivation that are left to a file, so that it cannot hold the process up. */
export class DerivationBudget {
  #left = MAX_DERIVATION_ROUNDS;

  /** @throws LockError when `rounds` is no number from 1 to what is left */
  spend(rounds: number | undefined): number {
    if (rounds === undefined || rounds < 1) unreadable('its key derivation is malformed');
    this.#left -= rounds;
    if (this.#left < 0) {
      unreadable(`its key derivation takes more than ${MAX_DERIVATION_ROUNDS} rounds`);
    }
    return rounds;
  }
}
