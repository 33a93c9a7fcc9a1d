import type { DataCipher } from '../model/ciphers.ts';
import type { Agreement } from './agreement.ts';
import { chooseServerCipher, negotiatesCipher } from './cipher-choice.ts';
import { IvProto, ivProtoOf } from './peer-info.ts';

/** What came of the negotiation, for the text of the push. */
export interface NegotiatedFacts {
  readonly cipher: DataCipher;
  /** Whether the client negotiates ciphers: to one that does not, none is pushed. */
  readonly negotiatesCipher: boolean;
  /** undefined for a client without DATA_V2: push none. */
  readonly peerId: number | undefined;
  readonly tlsEkm: boolean;
  readonly ccExit: boolean;
  /** Whether `dyn-tls-crypt` and `aead-epoch` are granted. */
  readonly dynTlsCrypt: boolean;
  readonly aeadEpoch: boolean;
  /** All bits that the client announced. */
  readonly ivProto: number;
  /** `auth-token` and what goes with it. */
  readonly tokenOptions: readonly string[];
}

/** What the server has to offer to one peer. */
export interface ServerAgreementFacts {
  readonly dataCiphers: readonly string[];
  readonly dataCiphersFallback: string | undefined;
  /** The id under which DATA_V2 packets of this peer are found. */
  readonly peerId: number | undefined;
  /** What a client that announces it is granted. */
  readonly grants: { readonly dynTlsCrypt: boolean; readonly aeadEpoch: boolean };
}

/** What key id 0 settles with a client; undefined without a shared cipher. */
export function serverAgreement(
  client: {
    readonly peerInfo: ReadonlyMap<string, string>;
    /** Of its options string. */
    readonly cipher: string | undefined;
  },
  { dataCiphers, dataCiphersFallback, grants, ...own }: ServerAgreementFacts,
): Agreement | undefined {
  const { peerInfo } = client;
  const announces = (bit: number) => (ivProtoOf(peerInfo) & bit) !== 0;
  const cipher = chooseServerCipher({
    dataCiphers,
    fallback: dataCiphersFallback,
    peerInfo,
    clientOptions: client.cipher,
  });
  if (cipher === undefined) return undefined;
  const peerId = announces(IvProto.DATA_V2) ? own.peerId : undefined;
  // Only `protocol-flags` can tell of these two, and only with bit 7 is that read.
  const readsFlags = announces(IvProto.CC_EXIT_NOTIFY);
  const knowsEpochs = readsFlags && announces(IvProto.AEAD_EPOCH);
  return {
    cipher,
    peerId,
    tlsEkm: announces(IvProto.TLS_KEY_EXPORT),
    dynTlsCrypt: grants.dynTlsCrypt && readsFlags && announces(IvProto.DYN_TLS_CRYPT),
    aeadEpoch: grants.aeadEpoch && knowsEpochs && cipher.aead && peerId !== undefined,
  };
}

/** The same as the text of the push needs it. */
export function negotiatedFacts(
  agreement: Agreement,
  peerInfo: ReadonlyMap<string, string>,
  tokenOptions: readonly string[],
): NegotiatedFacts {
  const ivProto = ivProtoOf(peerInfo);
  return {
    ...agreement,
    ccExit: (ivProto & IvProto.CC_EXIT_NOTIFY) !== 0,
    ivProto,
    negotiatesCipher: negotiatesCipher(peerInfo),
    tokenOptions,
  };
}
