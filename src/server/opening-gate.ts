import { EMPTY } from '../core/bytes.ts';
import { Secret } from '../core/secret.ts';
import type { ControlWrapOptions, ServerWrapOptions } from '../model/control-wrap-options.ts';
import { HardResetResponder } from '../packetmuxer/hard-reset-responder.ts';
import { TlsCryptV2ServerKey } from '../packetmuxer/tls-crypt-v2.ts';
import { statelessWrap } from '../session/control-wraps.ts';
import type { ResolvedServerOptions } from './server-options.ts';

/** Who may have a session: answers to strangers in the name of one listener. */
export function openingGate(
  options: Pick<ResolvedServerOptions, 'wrap' | 'protocol' | 'clock' | 'random' | 'handWindowMs'>,
): HardResetResponder {
  const { wrap, protocol, clock, random, handWindowMs } = options;
  const unixSeconds = () => clock.unixSeconds();
  if (wrap.kind !== 'tls-crypt-v2') {
    return new HardResetResponder({ wrap: statelessWrap(wrap, unixSeconds), random, handWindowMs });
  }
  const serverKey = wrap.serverKey.reveal();
  const tlsCryptV2 = { serverKey, protocol, unixSeconds };
  return new HardResetResponder({ tlsCryptV2, random, handWindowMs });
}

/**
 * The wrap of an accepted client's session.
 *
 * @param wrappedKey the client's, as the gate has accepted it; undefined but under tls-crypt-v2
 */
export function acceptedWrap(
  wrap: ServerWrapOptions,
  wrappedKey: Buffer | undefined,
): ControlWrapOptions {
  if (wrap.kind !== 'tls-crypt-v2') return wrap;
  const serverKey = new TlsCryptV2ServerKey(wrap.serverKey.reveal());
  const unwrapped = serverKey.unwrap(wrappedKey ?? EMPTY);
  if (typeof unwrapped === 'number') throw new Error('expected the key that the gate accepted');
  return { kind: 'tls-crypt-v2', key: new Secret(unwrapped.key), wrappedKey: EMPTY };
}
