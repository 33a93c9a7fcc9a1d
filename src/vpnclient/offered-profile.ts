import { OvpnUsageError } from '../core/errors.ts';
import type { CipherProvider } from '../datachannel/cipher-provider.ts';
import { offeredCiphers } from '../datachannel/offered-ciphers.ts';
import type { Profile } from '../model/profile.ts';

/**
 * The profile with those ciphers only that the cipher provider has.
 * @throws OvpnUsageError when it has none of them
 */
export function offeredProfile(profile: Profile, provider: CipherProvider): Profile {
  const { dataCiphers, dataCiphersFallback, cipher, auth } = profile;
  const offered = offeredCiphers(provider, dataCiphers, auth);
  if (offered.length === 0 && dataCiphers.length > 0) {
    const asked = dataCiphers.join(', ');
    throw new OvpnUsageError(
      `expected \`cipherProvider\` to have one of ${asked} with auth ${auth}, got ${provider.name}`,
      'vpnclient',
    );
  }
  const had = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : offeredCiphers(provider, [name], auth)[0];
  return {
    ...profile,
    dataCiphers: offered,
    dataCiphersFallback: had(dataCiphersFallback),
    cipher: had(cipher),
  };
}
