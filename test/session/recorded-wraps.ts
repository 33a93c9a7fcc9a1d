import { Secret } from '../../src/core/secret.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import type { Role } from '../../src/model/ids.ts';
import { ControlWraps } from '../../src/session/control-wraps.ts';
import type { Capture } from '../packetmuxer/captures.ts';
import { directionOf, staticKeyOf } from '../packetmuxer/captures-keys.ts';
import { tlsCryptV2Key } from '../packetmuxer/wrap-vectors.ts';

/** The control wraps of one end of a recorded session. */
export function recordedWraps(
  capture: Capture,
  role: Role,
  unixSeconds: () => number,
): ControlWraps {
  return new ControlWraps({ wrap: recordedOptions(capture, role), role, unixSeconds });
}

/** What TLS exported for dynamic tls-crypt, fresh. */
export function exportedOf({ exported }: Capture): Buffer {
  return Buffer.from(exported ?? '', 'hex');
}

/** The wrap that the profile of one end of a recorded session names. */
export function recordedOptions(capture: Capture, role: Role): ControlWrapOptions {
  const { wrap: kind, digest } = capture;
  const bytes = staticKeyOf(capture);
  if (kind === 'none' || bytes === undefined) return { kind: 'none' };
  const secret = new Secret(bytes);
  if (kind === 'tls-crypt') return { kind, key: secret };
  if (kind === 'tls-crypt-v2') return { kind, key: secret, wrappedKey: tlsCryptV2Key().wrappedKey };
  return { kind, key: secret, direction: directionOf(capture, role), digest };
}
