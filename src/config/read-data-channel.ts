import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';

/** IP and UDP headers of an outer packet over IPv4. */
const IP_AND_UDP_HEADER = 28;

/** Opcode and peer id, packet id, tag. */
const AEAD_OVERHEAD = 24;

/** By how much an outer packet is longer than the inner one. */
export const MSSFIX_FIXED_BYTES: number = IP_AND_UDP_HEADER + AEAD_OVERHEAD;

/** Smallest outer datagram that `fragment` may ask for. Unit: bytes. */
export const MIN_FRAGMENT = 68;

/** Sizes and the replay window. */
export const DATA_CHANNEL_READERS: DirectiveReaders = [
  ['tun-mtu', readTunMtu],
  ['mssfix', readMssfix],
  ['max-packet-size', readMaxPacketSize],
  ['fragment', readFragment],
  [
    'mtu-test',
    (draft) => {
      draft.profile.mtuTest = true;
    },
  ],
  ['replay-window', readReplayWindow],
];

function readTunMtu(draft: ProfileDraft, directive: Directive): void {
  draft.connection.tunMtu = draft.numberOf(directive, 0, 576, 9000) ?? draft.connection.tunMtu;
}

/** `mssfix max mtu` counts IP and UDP headers, `mssfix max` does not, `fixed` is the inner packet. */
function readMssfix(draft: ProfileDraft, directive: Directive): void {
  const { connection } = draft;
  const [, mode] = directive.args;
  if (directive.args.length === 0) {
    connection.mssfix = undefined;
    return;
  }
  const max = draft.numberOf(directive, 0, 0, 65_535);
  if (max === undefined) return;
  if (max === 0 || mode === 'mtu') connection.mssfix = max;
  else if (mode === undefined) connection.mssfix = max + IP_AND_UDP_HEADER;
  else if (mode === 'fixed') connection.mssfix = max + MSSFIX_FIXED_BYTES;
  else draft.invalid(directive, 'expected mtu or fixed after the size');
}

/** Of data packets; control packets are small enough for any path. */
function readMaxPacketSize(draft: ProfileDraft, directive: Directive): void {
  const { connection } = draft;
  connection.mssfix = draft.numberOf(directive, 0, 1, 65_535) ?? connection.mssfix;
}

/** `fragment max mtu` counts IP and UDP headers, `fragment max` does not. */
function readFragment(draft: ProfileDraft, directive: Directive): void {
  const [, mode] = directive.args;
  const max = draft.numberOf(directive, 0, MIN_FRAGMENT, 65_535);
  if (max === undefined) return;
  if (mode !== undefined && mode !== 'mtu')
    draft.invalid(directive, 'expected mtu or nothing after the size');
  else {
    const value = mode === 'mtu' ? Math.max(max - IP_AND_UDP_HEADER, MIN_FRAGMENT) : max;
    draft.connection.fragment = { directive, value };
  }
}

function readReplayWindow(draft: ProfileDraft, directive: Directive): void {
  const packets = draft.numberOf(directive, 0, 0, 65_536);
  const seconds = directive.args.length < 2 ? 15 : draft.numberOf(directive, 1, 0, 600);
  if (packets === undefined || seconds === undefined) return;
  draft.profile.replayWindow = Object.freeze({ packets, ms: seconds * 1000 });
}
