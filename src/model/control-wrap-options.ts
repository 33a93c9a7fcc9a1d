import type { Secret } from '../core/secret.ts';

/** The 256 bytes of a static key file, and what goes with them. */
interface TlsAuthOptions {
  readonly kind: 'tls-auth';
  readonly key: Secret<Buffer>;
  /** `key-direction` of this end; undefined: both ends use the same half. */
  readonly direction: 0 | 1 | undefined;
  /** Name of the HMAC's digest, as `auth` has it: a key of `DIGESTS`. */
  readonly digest: string;
}

interface TlsCryptOptions {
  readonly kind: 'tls-crypt';
  /** The 256 bytes of a static key file. */
  readonly key: Secret<Buffer>;
}

/** How control packets are protected, as one session sees it. */
export type ControlWrapOptions =
  | { readonly kind: 'none' }
  | TlsAuthOptions
  | TlsCryptOptions
  | {
      readonly kind: 'tls-crypt-v2';
      /** Kc: 256 bytes that only this client and the server know. */
      readonly key: Secret<Buffer>;
      /** WKc: the same key for the server's eyes; its last two bytes are its length. */
      readonly wrappedKey: Buffer;
    };

/** How a server's control packets are protected: of tls-crypt-v2 it has the key of all clients' keys. */
export type ServerWrapOptions =
  | { readonly kind: 'none' }
  | TlsAuthOptions
  | TlsCryptOptions
  | {
      readonly kind: 'tls-crypt-v2';
      /** The 128 bytes of a tls-crypt-v2 server key file. */
      readonly serverKey: Secret<Buffer>;
    };
