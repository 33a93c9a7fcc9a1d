import type { ClientNat } from '../model/profile.ts';
import { ipv4Network, prefixOfMask } from './addresses.ts';
import type { PushDraft, PushReaders } from './push-draft.ts';

/** Most `client-nat` rules of a tunnel, those of the profile counted (clinat.h `MAX_CLIENT_NAT`). */
export const MAX_CLIENT_NAT = 64;

/** One-to-one translation of addresses. */
export const PUSH_NAT: PushReaders = [['client-nat', readClientNat]];

/** The arguments of `client-nat`; undefined when they are none. */
export function clientNatOf(args: readonly string[]): ClientNat | undefined {
  const [kind, networkText, mask, aliasText, ...others] = args;
  const prefixLength = prefixOfMask(mask);
  if ((kind !== 'snat' && kind !== 'dnat') || prefixLength === undefined) return undefined;
  const network = ipv4Network(networkText, prefixLength);
  const alias = ipv4Network(aliasText, prefixLength);
  if (network === undefined || alias === undefined || others.length > 0) return undefined;
  return Object.freeze({ kind, network, prefixLength, alias });
}

function readClientNat(draft: PushDraft, args: readonly string[]): void {
  const rule = clientNatOf(args);
  if (rule === undefined) draft.ignore('expected snat or dnat, a network, its mask and an alias');
  else if (draft.clientNat.length >= MAX_CLIENT_NAT) {
    draft.ignore(`at most ${MAX_CLIENT_NAT} rules are kept`);
  } else draft.clientNat.push(rule);
}
