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

/**
 * The data cipher of the session (ssl_ncp.c), or why there is none: the pushed one, else the one of
 * the server's options string, where we offer it; the fallback for a server that names none.
 */
export function chooseClientCipher(facts: ClientCipherFacts): DataCipher | OvpnProtocolError {
  const { pushed, serverOptions, dataCiphers, fallback } = facts;
  const named = pushed ?? serverOptions;
  const chosen = named ?? fallback ?? '';
  const cipher = DATA_CIPHERS.get(chosen);
  const allowed = dataCiphers.includes(chosen) || chosen === fallback;
  if (cipher !== undefined && allowed) return cipher;
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

/** The first of our ciphers that the client knows, as a 2.6 server chooses; undefined for none. */
export function chooseServerCipher(facts: ServerCipherFacts): DataCipher | undefined {
  const { dataCiphers, fallback } = facts;
  const known = clientCiphers(facts);
  if (known.length === 0) return cipherNamed(fallback);
  return cipherNamed(dataCiphers.find((name) => known.includes(name)));
}

/** IV_CIPHERS is the whole truth; without it IV_NCP=2 stands for two, and the OCC cipher counts. */
function clientCiphers({ peerInfo, clientOptions }: ServerCipherFacts): readonly string[] {
  const list = peerInfo.get('IV_CIPHERS');
  if (list !== undefined) return list.toUpperCase().split(':');
  const own = clientOptions === undefined ? [] : [clientOptions];
  return Number(peerInfo.get('IV_NCP')) >= 2 ? ['AES-256-GCM', 'AES-128-GCM', ...own] : own;
}

/** Whether the client takes a pushed `cipher`: it says which ones it has, by list or by IV_NCP. */
export function negotiatesCipher(peerInfo: ReadonlyMap<string, string>): boolean {
  return peerInfo.has('IV_CIPHERS') || peerInfo.has('IV_NCP');
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

/** How the refusal of a server begins that shares no cipher with its client. */
export const CIPHER_REFUSAL = 'Data channel cipher negotiation failed';

/** What a 2.6 server says to a client with which it shares none. */
export const NO_SHARED_CIPHER_REASON: string = `${CIPHER_REFUSAL} (no shared cipher)`;
