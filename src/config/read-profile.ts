import { dirname } from 'node:path';
import { OvpnConfigError } from '../core/errors.ts';
import type { Profile } from '../model/profile.ts';
import { readProfileText } from './ovpn-options.ts';
import { ProfileFiles, readRegularFile } from './profile-files.ts';

/**
 * Reads an `.ovpn` profile.
 *
 * @param source a path; or, when it has a line end, the text of a profile, which then cannot name
 * files; or a profile that was read before, which comes back as it is
 * @throws OvpnConfigError with all problems at once; its messages name the profile by its path
 */
export function readProfile(source: string | Profile): Profile {
  if (typeof source !== 'string') return source;
  if (source.includes('\n')) return readProfileText(source, new ProfileFiles(undefined), 'profile');
  const file = readRegularFile(source);
  if ('text' in file) return readProfileText(file.text, new ProfileFiles(dirname(source)), source);
  throw new OvpnConfigError([{ code: file.code, message: file.message }]);
}
