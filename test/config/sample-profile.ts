import { readFileSync } from 'node:fs';
import { readProfile } from '../../src/config/read-profile.ts';
import { OvpnConfigError } from '../../src/core/errors.ts';
import type { Profile } from '../../src/model/profile.ts';

function vector(name: string): string {
  return readFileSync(new URL(`../vectors/pki/${name}`, import.meta.url), 'utf8');
}

export const CA = vector('ca.crt');
export const CERT = vector('client.crt');
export const KEY = vector('client.key');
export const SERVER_KEY = vector('server.key');
export const TLS_AUTH = vector('ta.key');
export const TLS_CRYPT = vector('tc.key');
export const TLS_CRYPT_V2 = vector('tcv2-client.key');
export const TLS_CRYPT_V2_SERVER = vector('tcv2-server.key');

/** `text` as the inline block of `name`. */
export function inline(name: string, text: string): string {
  return `<${name}>\n${text.trim()}\n</${name}>`;
}

/** The least that makes a profile, one directive each. */
export const REQUIRED: readonly string[] = [
  'client',
  'remote vpn.example 1194',
  'remote-cert-tls server',
  'setenv CLIENT_CERT 0',
  inline('ca', CA),
];

/** `lines` beside what a profile must have. */
export function profileWith(...lines: string[]): string {
  return `${[...REQUIRED, ...lines].join('\n')}\n`;
}

export function read(...lines: string[]): Profile {
  return readProfile(profileWith(...lines));
}

/** The error that reading `text` ends with. */
export function errorOf(text: string): OvpnConfigError {
  try {
    readProfile(text);
  } catch (error) {
    if (error instanceof OvpnConfigError) return error;
    throw error;
  }
  throw new Error('the profile was read without an error');
}
