import type { Clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import type { ControlWrap } from '../../src/packetmuxer/control-wrap.ts';
import { statelessWrap } from '../../src/session/control-wraps.ts';
import type { DataKind } from './million-steps-stream.ts';
import { SeededRandom } from './seeded-random.ts';

/** How both ends protect their packets. */
export interface NoisyCase {
  readonly name: string;
  readonly client: ControlWrapOptions;
  readonly server: ControlWrapOptions;
  /** Renegotiations have control keys of their own (dynamic tls-crypt). */
  readonly dynamic: boolean;
  readonly data: DataKind;
}

type Wrap = Pick<NoisyCase, 'client' | 'server'>;

const KEY = new Secret(new SeededRandom(0xce).bytes(256));
/** As long as one with metadata; nobody opens it: what does has tests of its own. */
const WRAPPED_KEY = new SeededRandom(0xcf).bytes(400);
WRAPPED_KEY.writeUInt16BE(WRAPPED_KEY.length, WRAPPED_KEY.length - 2);

const none: Wrap = sameFor({ kind: 'none' });
const tlsCrypt: Wrap = sameFor({ kind: 'tls-crypt', key: KEY });
const tlsCryptV2: Wrap = sameFor({ kind: 'tls-crypt-v2', key: KEY, wrappedKey: WRAPPED_KEY });
const tlsAuth: Wrap = {
  client: { kind: 'tls-auth', key: KEY, direction: 1, digest: 'SHA256' },
  server: { kind: 'tls-auth', key: KEY, direction: 0, digest: 'SHA256' },
};
const tlsAuthOneWay: Wrap = sameFor({
  kind: 'tls-auth',
  key: KEY,
  direction: undefined,
  digest: 'SHA1',
});

/** Every wrap and every codec; the million is shared among them. */
export const NOISY_CASES: readonly NoisyCase[] = [
  row('none', none, false, 'AES-256-GCM', 7),
  row('tls-auth', tlsAuth, false, 'AES-256-CBC', 7),
  row('tls-crypt', tlsCrypt, false, 'CHACHA20-POLY1305', 7),
  row('tls-crypt-v2', tlsCryptV2, false, 'AES-192-GCM', undefined),
  row('dynamic', none, true, 'AES-256-GCM', 7, 'epoch'),
  row('tls-auth, then dynamic', tlsAuthOneWay, true, 'AES-128-CBC', undefined),
  row('tls-crypt, then dynamic', tlsCrypt, true, 'AES-128-GCM', 0),
  row('tls-crypt-v2, then dynamic', tlsCryptV2, true, 'CHACHA20-POLY1305', 0xff_fffe, 'epoch'),
];

function row(
  wrapName: string,
  wrap: Wrap,
  dynamic: boolean,
  cipher: string,
  peerId: number | undefined,
  format: 'epoch' | 'plain' = 'plain',
): NoisyCase {
  const epoch = format === 'epoch';
  const words = [cipher, epoch ? 'epoch' : '', peerId === undefined ? 'DATA_V1' : 'DATA_V2'];
  const name = `${wrapName}; ${words.filter((word) => word !== '').join(' ')}`;
  return { name, ...wrap, dynamic, data: { cipher, epoch, peerId } };
}

function sameFor(wrap: ControlWrapOptions): Wrap {
  return { client: wrap, server: wrap };
}

/** The wrap of what leaves before there is a session. */
export function answerWrap(wrap: ControlWrapOptions, clock: Clock): ControlWrap {
  const unixSeconds = () => clock.unixSeconds();
  return wrap.kind === 'tls-crypt-v2'
    ? statelessWrap({ kind: 'tls-crypt', key: wrap.key }, unixSeconds)
    : statelessWrap(wrap, unixSeconds);
}

/** Where the part of a data packet begins that its tag covers: CBC's is without the peer id. */
export function authenticFrom({ cipher, peerId }: NoisyCase['data']): number {
  const isCbc = DATA_CIPHERS.get(cipher)?.aead === false;
  return isCbc && peerId !== undefined ? DATA_V2_HEADER_BYTES : 0;
}

const DATA_V2_HEADER_BYTES = 4;
