/**
 * Where a negotiation stands (names as in minivpn and ssl_common.h):
 *
 *     S_INITIAL ─▶ S_PRE_START ─▶ S_START ─▶ S_SENT_KEY ─▶ S_GOT_KEY ─▶ S_ACTIVE ─▶ S_GENERATED_KEYS
 *                  reset sent     reset       key method 2   key method 2  push reply   data keys
 *                                 answered    sent           received      complete     in place
 *     any ─▶ S_ERROR
 */
export type NegotiationState =
  | 'S_INITIAL'
  | 'S_PRE_START'
  | 'S_START'
  | 'S_SENT_KEY'
  | 'S_GOT_KEY'
  | 'S_ACTIVE'
  | 'S_GENERATED_KEYS'
  | 'S_ERROR';
