import { DATA_CIPHERS } from '../model/ciphers.ts';
import { DIGESTS } from '../model/digests.ts';
import type { CipherProvider } from './cipher-provider.ts';

/** Those of `names`, in the same order, that `provider` has beside the digest `auth`. */
export function offeredCiphers(
  provider: CipherProvider,
  names: readonly string[],
  auth: string,
): string[] {
  const digest = DIGESTS.get(auth);
  return names.filter((name) => {
    const cipher = DATA_CIPHERS.get(name);
    return cipher !== undefined && provider.has(cipher, digest);
  });
}
