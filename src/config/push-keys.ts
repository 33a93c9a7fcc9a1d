import { DATA_CIPHERS } from '../model/ciphers.ts';
import { PEER_ID_UNDEFINED } from '../model/ids.ts';
import { compressionChoice, FRAMING_ONLY } from './compression.ts';
import { decimal } from './numbers.ts';
import type { PushDraft, PushReader, PushReaders } from './push-draft.ts';

/** Keys, and the format of packets. */
export const PUSH_KEYS: PushReaders = [
  ['peer-id', readPeerId],
  ['cipher', readCipher],
  ['key-derivation', readKeyDerivation],
  ['protocol-flags', readProtocolFlags],
  ['compress', compression('compress')],
  ['comp-lzo', compression('comp-lzo')],
];

/** Epoch packets are DATA_V2 with an AEAD cipher, whose name may come behind the flag. */
export function finishAeadEpoch(draft: PushDraft): boolean {
  if (!draft.aeadEpoch) return false;
  draft.shown = 'protocol-flags aead-epoch';
  if (draft.peerId === undefined) return draft.reject('expected a peer-id beside aead-epoch');
  if (draft.cipher !== undefined && DATA_CIPHERS.get(draft.cipher)?.aead === false) {
    return draft.reject('expected an AEAD cipher beside aead-epoch');
  }
  return true;
}

function readPeerId(draft: PushDraft, [text]: readonly string[]): void {
  const peerId = decimal(text, 0, PEER_ID_UNDEFINED);
  if (peerId === undefined) draft.reject('expected a peer-id 0 to 16777215');
  draft.peerId = peerId === PEER_ID_UNDEFINED ? undefined : peerId;
}

function readCipher(draft: PushDraft, [name = '']: readonly string[]): void {
  if (!/^[A-Za-z0-9-]{1,40}$/.test(name)) draft.reject('expected the name of a cipher');
  draft.cipher = name.toUpperCase();
}

function readKeyDerivation(draft: PushDraft, [method]: readonly string[]): void {
  if (method !== 'tls-ekm') draft.reject('expected key-derivation tls-ekm');
  draft.tlsEkm = true;
}

/** Whether a flag was offered at all is for those who know what was. */
function readProtocolFlags(draft: PushDraft, flags: readonly string[]): void {
  let isUnknown = false;
  for (const flag of flags) {
    if (flag === 'tls-ekm') draft.tlsEkm = true;
    else if (flag === 'cc-exit') draft.ccExit = true;
    else if (flag === 'dyn-tls-crypt') draft.dynTlsCrypt = true;
    else if (flag === 'aead-epoch') draft.aeadEpoch = true;
    else isUnknown = true;
  }
  if (isUnknown) draft.ignore('holds a flag that is unknown');
}

/** Every form of these options, `no` too, changes how each packet is framed. */
function compression(name: 'compress' | 'comp-lzo'): PushReader {
  return (draft, [argument]) => {
    const choice = compressionChoice(name, argument);
    if (choice === undefined) return draft.reject('expected a framing that is known');
    draft.compression = choice.framing;
    if (choice.compresses) draft.ignore(FRAMING_ONLY);
  };
}
