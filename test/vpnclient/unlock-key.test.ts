import { createPrivateKey, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { OvpnAuthError, OvpnConfigError, OvpnError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Profile } from '../../src/model/profile.ts';
import { unlockKey } from '../../src/vpnclient/unlock-key.ts';
import { keyFile, keyText } from '../config/key-files.ts';
import { CA, inline } from '../config/sample-profile.ts';

const BASE = ['client', 'remote vpn.example', 'remote-cert-tls server'];
const ca = inline('ca', keyText('ca.crt'));
const cert = inline('cert', keyText('client.crt'));

function pkcs12(name: string): string {
  return inline('pkcs12', keyFile(name).toString('base64').replace(/.{64}/g, '$&\n'));
}

function profileOf(...lines: string[]): Profile {
  return readProfile(`${[...BASE, ...lines].join('\n')}\n`);
}

const saying = (text: string) => async () => new Secret(text);
const nobody = async () => undefined;

async function errorOf(unlocking: Promise<unknown>): Promise<OvpnError> {
  const error: unknown = await unlocking.catch((thrown: unknown) => thrown);
  if (error instanceof OvpnError) return error;
  throw new Error('it was unlocked');
}

describe('unlockKey', () => {
  test.each([
    { name: 'an open key', lines: [ca, cert, inline('key', keyText('client.key'))] },
    { name: 'PKCS#12 without a passphrase', lines: [pkcs12('empty.p12')] },
    { name: 'no key at all', lines: [ca, 'auth-user-pass'] },
  ])('gives back a profile with $name, and asks nobody', async ({ lines }) => {
    const profile = profileOf(...lines);
    expect(profile.needsKeyPassphrase).toBe(false);
    const unlocked = await unlockKey(profile, () => Promise.reject(new Error('asked')));
    expect(unlocked).toBe(profile);
  });

  test.each([
    { name: 'PKCS#8', lines: [ca, cert, inline('key', keyText('pkcs8-aes256.key'))] },
    { name: 'a key of old', lines: [ca, cert, inline('key', keyText('traditional-aes128.key'))] },
    { name: 'PKCS#12', lines: [pkcs12('modern.p12')] },
    { name: 'PKCS#12 of old', lines: [pkcs12('legacy.p12')] },
  ])('opens $name and forgets the passphrase', async ({ lines }) => {
    const profile = profileOf(...lines);
    expect(profile.needsKeyPassphrase).toBe(true);
    const prompts: string[] = [];
    const unlocked = await unlockKey(profile, async (prompt) => {
      prompts.push(prompt);
      return new Secret('secret');
    });
    expect(prompts).toHaveLength(1);
    expect(unlocked).toMatchObject({
      needsKeyPassphrase: false,
      keyPassphrase: undefined,
      pkcs12: undefined,
    });
    expect(new X509Certificate(unlocked.ca ?? '').subject).toBe('CN=key file CA');
    const own = new X509Certificate(unlocked.cert ?? '');
    expect(own.checkPrivateKey(createPrivateKey(unlocked.key?.reveal() ?? ''))).toBe(true);
    expect(inspect(unlocked, { depth: 9 }) + JSON.stringify(unlocked)).not.toMatch(
      /PRIVATE KEY|secret/,
    );
    expect(Object.isFrozen(unlocked)).toBe(true);
  });

  test('takes the passphrase of askpass before it asks', async () => {
    const profile = profileOf(pkcs12('modern.p12'));
    const known = { ...profile, keyPassphrase: new Secret('secret') };
    expect((await unlockKey(known, nobody)).key).toBeDefined();
  });

  test.each([
    { name: 'nobody knows it', ask: nobody, says: /askpass/ },
    { name: 'it is a wrong one', ask: saying('wrong'), says: /got another one/ },
    { name: 'it is empty', ask: saying(''), says: /got another one/ },
  ])('says so when $name', async ({ ask, says }) => {
    for (const lines of [
      [pkcs12('modern.p12')],
      [ca, cert, inline('key', keyText('pkcs8-aes256.key'))],
    ]) {
      const error = await errorOf(unlockKey(profileOf(...lines), ask));
      expect(error).toBeInstanceOf(OvpnAuthError);
      expect(error).toMatchObject({ code: 'OVPN_KEY_PASSPHRASE', initiator: 'user' });
      expect(error.message).toMatch(says);
      expect(error.message).not.toContain('wrong');
    }
  });

  test("the profile's ca is trusted, and not what PKCS#12 has beside it", async () => {
    const profile = profileOf(inline('ca', CA), pkcs12('modern.p12'));
    const unlocked = await unlockKey(profile, saying('secret'));
    expect(unlocked.ca).toBe(profile.ca);
  });

  test('extra-certs come behind the certificate of PKCS#12', async () => {
    const profile = profileOf(pkcs12('modern.p12'), inline('extra-certs', CA));
    const { cert: chain = '' } = await unlockKey(profile, saying('secret'));
    const subjects = chain.split(/(?=-----BEGIN)/).map((text) => new X509Certificate(text).subject);
    expect(subjects).toEqual(['CN=key file client', new X509Certificate(CA).subject]);
  });

  test.each([
    {
      name: 'PKCS#12 without an authority',
      lines: [pkcs12('no-ca.p12')],
      says: /could not be recognised/,
    },
    {
      name: 'a key of another certificate',
      lines: [ca, inline('cert', CA), inline('key', keyText('pkcs8-aes256.key'))],
      says: /does not belong/,
    },
    {
      name: 'a cipher that is not supported',
      lines: [ca, cert, inline('key', keyText('traditional-des.key'))],
      says: /aes256/,
    },
    {
      name: 'a derivation without end',
      lines: [ca, cert, inline('key', keyText('pkcs8-slow.key'))],
      says: /rounds/,
    },
  ])('refuses $name', async ({ lines, says }) => {
    const error = await errorOf(unlockKey(profileOf(...lines), saying('secret')));
    expect(error).toBeInstanceOf(OvpnConfigError);
    expect(error.message).toMatch(says);
  });

  test('a pinned fingerprint stands for an authority', async () => {
    const pin = Array.from({ length: 32 }, () => 'AB').join(':');
    const profile = profileOf(pkcs12('no-ca.p12'), `peer-fingerprint ${pin}`);
    expect(await unlockKey(profile, saying('secret'))).toMatchObject({ ca: undefined });
  });
});
