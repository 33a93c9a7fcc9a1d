import type { PushOptions } from '../model/push-options.ts';
import { ipv4Host, ipv6Host, ipv6Prefix, prefixOfMask } from './addresses.ts';
import { decimal } from './numbers.ts';
import type { PushDraft, PushReaders } from './push-draft.ts';

/** Addresses and sizes inside the tunnel. */
export const PUSH_NETWORK: PushReaders = [
  ['topology', readTopology],
  ['ifconfig', readIfconfig],
  ['ifconfig-ipv6', readIfconfigIpv6],
  ['tun-mtu', readTunMtu],
];

/** What the last `ifconfig` means under the topology that holds in the end. */
export function finishIpv4(draft: PushDraft): PushOptions['ipv4'] {
  const { ifconfig, topology } = draft;
  if (ifconfig === undefined) return undefined;
  draft.shown = ifconfig.shown;
  const [addressText, second] = ifconfig.args;
  const address = ipv4Host(addressText);
  if (topology === 'subnet') {
    const prefixLength = prefixOfMask(second);
    if (address !== undefined && prefixLength !== undefined && prefixLength > 0) {
      return Object.freeze({ address, prefixLength, peer: undefined });
    }
    return draft.reject('expected an address and its mask, as the topology is subnet');
  }
  const peer = ipv4Host(second);
  if (address === undefined || peer === undefined) {
    return draft.reject(`expected an address and its peer's, as the topology is ${topology}`);
  }
  return Object.freeze({ address, prefixLength: topology === 'net30' ? 30 : 32, peer });
}

/** The smallest MTU that IPv6 may have (RFC 8200 §5); a smaller pushed one is not taken beside it. */
export function finishTunMtu(draft: PushDraft): number | undefined {
  if (draft.ipv6 === undefined || draft.tunMtu === undefined || draft.tunMtu >= 1280) {
    return draft.tunMtu;
  }
  draft.shown = `tun-mtu ${draft.tunMtu}`;
  draft.ignore('expected 1280 or more beside ifconfig-ipv6');
  return undefined;
}

function readIfconfig(draft: PushDraft, args: readonly string[]): void {
  draft.ifconfig = { args, shown: draft.shown };
}

function readTopology(draft: PushDraft, [topology]: readonly string[]): void {
  if (topology === 'subnet' || topology === 'net30' || topology === 'p2p') {
    draft.topology = topology;
  } else draft.reject('expected topology subnet, net30 or p2p');
}

function readIfconfigIpv6(draft: PushDraft, [local, remote]: readonly string[]): void {
  const prefix = ipv6Prefix(local);
  const address = ipv6Host(prefix?.address);
  const peer = ipv6Host(remote);
  const isPeerWrong = remote !== undefined && peer === undefined;
  if (prefix === undefined || address === undefined || prefix.prefixLength === 0 || isPeerWrong) {
    draft.reject('expected ifconfig-ipv6 with an address, its prefix length and a gateway');
  }
  draft.ipv6 = Object.freeze({ address, prefixLength: prefix.prefixLength, peer });
}

function readTunMtu(draft: PushDraft, [size]: readonly string[]): void {
  const mtu = decimal(size, 576, 9000);
  if (mtu === undefined) draft.ignore('expected 576 to 9000');
  else draft.tunMtu = mtu;
}
