import { parseStaticKey } from '../config/static-key.ts';
import { Secret } from '../core/secret.ts';
import type { ServerWrapOptions } from '../model/control-wrap-options.ts';
import type { ClientProfileParts } from './client-profile.ts';
import { createStaticKeyText } from './pki.ts';
import { createTlsCryptV2ClientKeyText, createTlsCryptV2ServerKey } from './tls-crypt-v2-keys.ts';

/** Kinds of protection that a server can make keys for. */
export const WRAP_KINDS = ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const;
export type WrapKind = (typeof WRAP_KINDS)[number];

/** Fresh keys for both ends of the control channel. */
export interface ThrowAwayWrap {
  readonly server: ServerWrapOptions;
  readonly client: Pick<ClientProfileParts, 'tlsAuthKey' | 'tlsCryptKey' | 'tlsCryptV2Key'>;
}

/** What a throw-away wrap depends on beside its kind. */
export interface ThrowAwayWrapFacts {
  /** Of tls-auth: a key of `DIGESTS`. */
  readonly digest: string;
  readonly unixSeconds: number;
}

/** Makes the keys of one wrap. All clients share one, under tls-crypt-v2 too. */
export function createThrowAwayWrap(
  kind: WrapKind,
  { digest, unixSeconds }: ThrowAwayWrapFacts,
): ThrowAwayWrap {
  switch (kind) {
    case 'none':
      return { server: { kind }, client: { tlsCryptKey: undefined } };
    case 'tls-auth': {
      const text = createStaticKeyText();
      return {
        server: { kind, key: staticKeyOf(text), direction: 0, digest },
        client: { tlsCryptKey: undefined, tlsAuthKey: text },
      };
    }
    case 'tls-crypt': {
      const text = createStaticKeyText();
      return { server: { kind, key: staticKeyOf(text) }, client: { tlsCryptKey: text } };
    }
    case 'tls-crypt-v2': {
      const serverKey = createTlsCryptV2ServerKey();
      const text = createTlsCryptV2ClientKeyText(serverKey, unixSeconds);
      return {
        server: { kind, serverKey: new Secret(serverKey) },
        client: { tlsCryptKey: undefined, tlsCryptV2Key: text },
      };
    }
  }
}

function staticKeyOf(text: string): Secret<Buffer> {
  const key = parseStaticKey(text);
  if (key === undefined) throw new Error('expected the static key that was just made');
  return new Secret(key);
}
