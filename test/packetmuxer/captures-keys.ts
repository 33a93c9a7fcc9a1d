import type { Role } from '../../src/model/ids.ts';
import type { ControlKey } from '../../src/packetmuxer/control-key.ts';
import { dynamicTlsCryptKey } from '../../src/packetmuxer/dynamic-tls-crypt.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import type { Capture, RecordedPacket } from './captures.ts';
import { tlsAuthKeyBytes, tlsCryptKeyBytes, tlsCryptV2Key } from './wrap-vectors.ts';

/** The static key of a recorded session. */
export function staticKeyOf({ wrap }: Capture): Buffer | undefined {
  if (wrap === 'none') return undefined;
  if (wrap === 'tls-auth') return tlsAuthKeyBytes();
  return wrap === 'tls-crypt' ? tlsCryptKeyBytes() : tlsCryptV2Key().key;
}

/** `key-direction` of one end of a recorded session. */
export function directionOf({ direction }: Capture, role: Role): 0 | 1 | undefined {
  if (direction === undefined || role === 'client') return direction;
  return direction === 0 ? 1 : 0;
}

/** The key with which one end seals and opens a recorded packet; undefined where it is in clear. */
export function keyOf(
  capture: Capture,
  { wrap }: RecordedPacket,
  role: Role,
): ControlKey | undefined {
  const key = staticKeyOf(capture);
  if (wrap === 'dynamic tls-crypt') {
    return dynamicTlsCryptKey(Buffer.from(capture.exported ?? '', 'hex'), key, role);
  }
  if (key === undefined) return undefined;
  if (capture.wrap !== 'tls-auth') return new TlsCryptKey(key, role);
  return new TlsAuthKey({ key, direction: directionOf(capture, role), digest: capture.digest });
}
