import { OvpnError, type OvpnTimeoutError } from '../core/errors.ts';
import type { MtuTestResult } from './mtu-test.ts';

/** What happened on a data channel beside packets. */
export type DataChannelEvent =
  /** A later key than the first is in place. */
  | { readonly kind: 'rekeyed'; readonly keyId: number }
  /** The peer said goodbye (OCC EXIT). Told once. */
  | { readonly kind: 'peer-exit' }
  /** `mtu-test` is over; without a result when the peer did not answer. */
  | { readonly kind: 'mtu-tested'; readonly result: MtuTestResult | undefined }
  | { readonly kind: 'ping-timeout'; readonly error: OvpnTimeoutError }
  /** Nothing can be sent any more. Told once. */
  | { readonly kind: 'failed'; readonly error: OvpnError };

/** The packet ids of a key ran out before there was another key. */
export function exhausted(keyId: number): DataChannelEvent {
  const error = new OvpnError(
    'OVPN_KEY_EXHAUSTED',
    `expected a new key before the packet ids of key id ${keyId} ran out, got none`,
    { layer: 'datachannel', retryable: true },
  );
  return { kind: 'failed', error };
}
