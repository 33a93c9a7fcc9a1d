import { OvpnProtocolError } from '../core/errors.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { Agreement } from './agreement.ts';
import { type ClientCipherFacts, chooseClientCipher } from './cipher-choice.ts';
import { IvProto } from './peer-info.ts';

/** What the client knows beside the push. */
export interface ClientAgreementFacts extends Omit<ClientCipherFacts, 'pushed'> {
  /** The bits of IV_PROTO that were announced. */
  readonly ivProto: number;
}

/**
 * What the whole push settles for the session.
 *
 * @throws OvpnProtocolError when no cipher is shared, or when packets would have a format that was
 * not announced or that cannot be
 */
export function clientAgreement(push: PushOptions, facts: ClientAgreementFacts): Agreement {
  const { ivProto, ...cipherFacts } = facts;
  const { peerId, tlsEkm, dynTlsCrypt, aeadEpoch } = push;
  const cipher = chooseClientCipher({ ...cipherFacts, pushed: push.cipher });
  if (cipher instanceof OvpnProtocolError) throw cipher;
  const granted = [
    ['tls-ekm', tlsEkm, IvProto.TLS_KEY_EXPORT],
    ['dyn-tls-crypt', dynTlsCrypt, IvProto.DYN_TLS_CRYPT],
    ['aead-epoch', aeadEpoch, IvProto.AEAD_EPOCH],
  ] as const;
  for (const [flag, isGranted, bit] of granted) {
    if (isGranted && (ivProto & bit) === 0) {
      throw wrongGrant(`expected only what IV_PROTO ${ivProto} announces, got ${flag}`);
    }
  }
  if (aeadEpoch && !cipher.aead) {
    throw wrongGrant(`expected an AEAD cipher beside aead-epoch, got ${cipher.name}`);
  }
  if (aeadEpoch && peerId === undefined) {
    throw wrongGrant('expected a peer-id beside aead-epoch, got none');
  }
  return { cipher, peerId, tlsEkm, dynTlsCrypt, aeadEpoch };
}

function wrongGrant(message: string): OvpnProtocolError {
  return new OvpnProtocolError(message, {
    code: 'OVPN_PUSH_INVALID',
    layer: 'tlsstate',
    reference: 'options.c do_deferred_options_part2',
  });
}
