import { setU8, u8 } from '../core/bytes.ts';
import type { Role } from '../model/ids.ts';
import { checkStaticKey } from './static-key.ts';
import { TlsCryptKey } from './tls-crypt-key.ts';

/**
 * The key of dynamic tls-crypt (tls_crypt.c tls_session_generate_dynamic_tls_crypt_key): it protects
 * all renegotiations of a session, whatever protected its opening.
 *
 * @param exported 256 bytes of the TLS session of key id 0; overwritten
 * @param staticKey the 256 bytes of the opening's tls-auth, tls-crypt or tls-crypt-v2 key
 */
export function dynamicTlsCryptKey(
  exported: Buffer,
  staticKey: Buffer | undefined,
  role: Role,
): TlsCryptKey {
  checkStaticKey(exported);
  if (staticKey !== undefined) {
    checkStaticKey(staticKey);
    for (let at = 0; at < exported.length; at += 1) {
      setU8(exported, at, u8(exported, at) ^ u8(staticKey, at));
    }
  }
  const key = new TlsCryptKey(exported, role);
  exported.fill(0);
  return key;
}
