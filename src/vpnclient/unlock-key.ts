import type { KeyObject } from 'node:crypto';
import type { LockedKey } from '../config/key-lock.ts';
import { openPkcs12 } from '../config/pkcs12.ts';
import { PKCS12_WITHOUT_CA, pkcs12Identity } from '../config/pkcs12-identity.ts';
import {
  belongTogether,
  isEncryptedKey,
  openPrivateKey,
  privateKeyBlock,
} from '../config/private-key.ts';
import { OvpnAuthError, OvpnConfigError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { Profile } from '../model/profile.ts';

/** Asks the user in the words of `prompt`; undefined when there is nobody to ask. */
export type AskPassphrase = (prompt: string) => Promise<Secret | undefined>;

/**
 * The profile with its private key open, for as long as its client lives: `key`, `cert` and `ca` can
 * be used, and the passphrase is gone. A profile whose key needs none is given back as it is. The
 * passphrase is that of `askpass FILE`; `ask` is called where the profile has none.
 *
 * @throws OvpnAuthError `OVPN_KEY_PASSPHRASE`: nobody knows the passphrase, or it is a wrong one
 * @throws OvpnConfigError `OVPN_CONFIG_INVALID`: the opened key is of no use to this profile
 */
export async function unlockKey(profile: Profile, ask: AskPassphrase): Promise<Profile> {
  const { key, pkcs12 } = profile;
  const block = key && privateKeyBlock(key.reveal());
  const isLocked = pkcs12 !== undefined || (block !== undefined && isEncryptedKey(block));
  if (!isLocked) return profile;
  const directive = pkcs12 === undefined ? 'key' : 'pkcs12';
  const passphrase =
    profile.keyPassphrase ?? (await ask(`Passphrase of the profile's ${directive}`));
  if (passphrase === undefined) {
    throw refused(
      `expected a passphrase, with which the profile's ${directive} is encrypted: give \`credentials\` as a function that answers key-passphrase, or askpass FILE in the profile`,
    );
  }
  const opened = { keyPassphrase: undefined, needsKeyPassphrase: false, pkcs12: undefined };
  if (pkcs12 !== undefined) {
    return Object.freeze({ ...profile, ...opened, ...openedPkcs12(profile, pkcs12, passphrase) });
  }
  const open = block && usable(openPrivateKey(block, passphrase.reveal()), directive);
  if (open === undefined) return profile;
  if (profile.cert !== undefined && !belongTogether(profile.cert, open)) {
    throw invalid('the key does not belong to the certificate', directive);
  }
  return Object.freeze({ ...profile, ...opened, key: pemOf(open) });
}

function openedPkcs12(
  profile: Profile,
  file: Secret<Buffer>,
  passphrase: Secret,
): Pick<Profile, 'ca' | 'cert' | 'key'> {
  const contents = usable(openPkcs12(file.reveal(), passphrase.reveal()), 'pkcs12');
  const { cert, key, authorities } = usable(pkcs12Identity(contents), 'pkcs12');
  const ca = profile.ca ?? authorities;
  if (ca === undefined && profile.peerFingerprints.length === 0) {
    throw invalid(PKCS12_WITHOUT_CA, 'pkcs12');
  }
  return { ca, cert: cert + (profile.cert ?? ''), key };
}

function usable<T extends object>(opened: T | LockedKey, directive: string): T {
  if (!('locked' in opened)) return opened;
  if (opened.locked === 'unreadable') throw invalid(opened.reason, directive);
  throw refused(
    `expected the passphrase of the profile's ${directive}, got another one: ${opened.reason}`,
  );
}

function pemOf(key: KeyObject): Secret {
  return new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());
}

function refused(message: string): OvpnAuthError {
  const origin = { layer: 'vpnclient', initiator: 'user' } as const;
  return new OvpnAuthError('OVPN_KEY_PASSPHRASE', message, origin);
}

function invalid(message: string, directive: string): OvpnConfigError {
  return new OvpnConfigError([{ code: 'OVPN_CONFIG_INVALID', directive, message }]);
}
