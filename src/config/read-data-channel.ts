import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** Sizes and the replay window. */
export const DATA_CHANNEL_READERS: DirectiveReaders = [
  ['tun-mtu', readTunMtu],
  ['mssfix', readMssfix],
  ['replay-window', readReplayWindow],
];

function readTunMtu(draft: ProfileDraft, directive: Directive): void {
  draft.profile.tunMtu = draft.numberOf(directive, 0, 576, 9000) ?? draft.profile.tunMtu;
}

/** `mssfix max mtu` counts IP and UDP headers, `mssfix max` does not, `fixed` is the inner packet. */
function readMssfix(draft: ProfileDraft, directive: Directive): void {
  const [, mode] = directive.args;
  if (directive.args.length === 0) return;
  const max = draft.numberOf(directive, 0, 0, 65_535);
  if (max === undefined) return;
  if (max === 0 || mode === 'mtu') draft.profile.mssfix = max;
  else if (mode === undefined) draft.profile.mssfix = max + IP_AND_UDP_HEADER;
  else if (mode === 'fixed') draft.profile.mssfix = max + IP_AND_UDP_HEADER + AEAD_OVERHEAD;
  else draft.invalid(directive, 'expected mtu or fixed after the size');
}

const IP_AND_UDP_HEADER = 28;
/** Opcode and peer id, packet id, tag. */
const AEAD_OVERHEAD = 24;

function readReplayWindow(draft: ProfileDraft, directive: Directive): void {
  const packets = draft.numberOf(directive, 0, 0, 65_536);
  const seconds = directive.args.length < 2 ? 15 : draft.numberOf(directive, 1, 0, 600);
  if (packets === undefined || seconds === undefined) return;
  draft.profile.replayWindow = Object.freeze({ packets, ms: seconds * 1000 });
}
