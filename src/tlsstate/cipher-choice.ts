import { OvpnProtocolError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import { DATA_CIPHERS, type DataCipher } from '../model/ciphers.ts';

/** What the client knows when it has the whole push. */
export interface ClientCipherFacts {
  /** The pushed `cipher`, upper case. */
  readonly pushed: string | undefined;
  /** The `cipher` of the server's options string. */
  readonly serverOptions: string | undefined;
  /** Ours, best first. */
  readonly dataCiphers: readonly string[];
  readonly fallback: string | undefined;
}

/** The data cipher of the session (ssl_ncp.c), or why there is none. */
export function chooseClientCipher(facts: ClientCipherFacts): DataCipher | OvpnProtocolError {
  const { pushed, serverOptions, dataCiphers, fallback } = facts;
  const named = pushed ?? serverOptions;
  const allowed = named !== undefined && (dataCiphers.includes(named) || named === fallback);
  const chosen = allowed
    ? named
    : named === undefined || pushed === undefined
      ? fallback
      : undefined;
  const cipher = DATA_CIPHERS.get(chosen ?? '');
  if (cipher !== undefined) return cipher;
  const came = named === undefined ? 'none' : printable(named);
  return noSharedCipher(
    `expected one of ${dataCiphers.join(', ')}, got ${came} from the server; add its cipher to data-ciphers if it is one that tundial has`,
  );
}

/** What the server knows of a client when it has its key exchange message. */
export interface ServerCipherFacts {
  /** Ours, best first. */
  readonly dataCiphers: readonly string[];
  readonly fallback: string | undefined;
  readonly peerInfo: ReadonlyMap<string, string>;
  /** The `cipher` of the client's options string. */
  readonly clientOptions: string | undefined;
}

/** The first of our ciphers that the client lists, as a 2.6 server chooses; undefined for none. */
export function chooseServerCipher(facts: ServerCipherFacts): DataCipher | undefined {
  const { dataCiphers, fallback, clientOptions } = facts;
  const listed = clientCiphers(facts.peerInfo);
  if (listed !== undefined) return cipherNamed(dataCiphers.find((name) => listed.includes(name)));
  if (clientOptions === undefined) return cipherNamed(fallback);
  return cipherNamed(dataCiphers.find((name) => name === clientOptions));
}

/** IV_CIPHERS; else what IV_NCP=2 stands for; undefined for a client that does not negotiate. */
function clientCiphers(peerInfo: ReadonlyMap<string, string>): readonly string[] | undefined {
  const list = peerInfo.get('IV_CIPHERS');
  if (list !== undefined) return list.toUpperCase().split(':');
  return Number(peerInfo.get('IV_NCP')) >= 2 ? ['AES-256-GCM', 'AES-128-GCM'] : undefined;
}

function cipherNamed(name: string | undefined): DataCipher | undefined {
  return DATA_CIPHERS.get(name ?? '');
}

/** The error of a session without a common cipher. */
export function noSharedCipher(message: string): OvpnProtocolError {
  return new OvpnProtocolError(`no shared data cipher: ${message}`, {
    code: 'OVPN_NO_SHARED_CIPHER',
    layer: 'tlsstate',
    reference: 'ssl_ncp.c',
  });
}

/** What a 2.6 server says to a client with which it shares none. */
export const NO_SHARED_CIPHER_REASON = 'Data channel cipher negotiation failed (no shared cipher)';
