import type { Profile } from '../model/profile.ts';
import type { ConnectDeadline } from './connect-deadline.ts';
import { requireServerCheck } from './connect-session.ts';
import { offeredProfile } from './offered-profile.ts';
import type { ResolvedClientOptions } from './options.ts';
import type { SignIn } from './sign-in.ts';
import { unlockKey } from './unlock-key.ts';

/**
 * The profile as it is used from `start()` on: without ciphers that nobody has. One that lets anybody
 * be the server is told of, or refused.
 *
 * @throws OvpnUsageError
 */
export function readyProfile(profile: Profile, options: ResolvedClientOptions): Profile {
  requireServerCheck(profile, options);
  return offeredProfile(profile, options.cipherProvider);
}

/** Whether the private key has to be opened first. */
export function isLocked({ needsKeyPassphrase, keyPassphrase }: Profile): boolean {
  return needsKeyPassphrase || keyPassphrase !== undefined;
}

/** The profile with its key open; asking the user takes none of the deadline. @throws what `unlockKey` throws */
export async function withOpenKey(
  profile: Profile,
  { asking }: SignIn,
  deadline: ConnectDeadline,
): Promise<Profile> {
  const { signal } = deadline;
  deadline.hold();
  try {
    return await unlockKey(profile, (prompt) =>
      asking.passphrase(prompt, { deadlineMs: Number.POSITIVE_INFINITY, signal }),
    );
  } finally {
    deadline.resume();
  }
}
