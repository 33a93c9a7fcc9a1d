import { isIPv4 } from 'node:net';
import { OvpnProtocolError } from '../core/errors.ts';
import { joinWords } from './line-words.ts';
import type { Directive } from './ovpn-tokens.ts';
import type { DirectiveReaders, ProfileDraft } from './profile-draft.ts';
import { clientNatOf, MAX_CLIENT_NAT } from './push-nat.ts';
import { readPushOptions } from './push-reply.ts';

/** Most options about the tunnel that a profile may set itself. */
export const MAX_LOCAL_OPTIONS = 1024;

/** What a profile says of the inside of the tunnel, which a push may say too. */
export const LOCAL_OPTION_READERS: DirectiveReaders = [
  ['ifconfig', readIfconfig],
  ...[
    'ifconfig-ipv6',
    'topology',
    'route',
    'route-ipv6',
    'route-gateway',
    'route-metric',
    'redirect-gateway',
    'redirect-private',
    'block-ipv6',
    'dhcp-option',
    'dns',
  ].map((name) => [name, readLocalOption] as const),
  ['client-nat', readClientNat],
];

/** Takes them over, once every directive has been read. */
export function finishLocalOptions({ localOptions, profile }: ProfileDraft): void {
  profile.localOptions = localOptions;
}

/** Its second address is a mask or a peer, as the topology has it: the server's, in the end. */
function readIfconfig(draft: ProfileDraft, directive: Directive): void {
  const [address = '', second = ''] = directive.args;
  if (isIPv4(address) && isIPv4(second)) keep(draft, directive);
  else draft.invalid(directive, "expected an IPv4 address and its mask or its peer's address");
}

/** Read as if it were pushed: what would have no effect then, has none. */
function readLocalOption(draft: ProfileDraft, directive: Directive): void {
  try {
    const [refusal] = readPushOptions([pushedForm(directive)]).ignored;
    if (refusal === undefined) keep(draft, directive);
    else draft.ignore(directive, IDLE.has(directive.name) ? 'quiet' : 'warn', refusal.reason);
  } catch (error) {
    if (!(error instanceof OvpnProtocolError)) throw error;
    draft.invalid(directive, EXPECTED.get(directive.name) ?? 'is not written as it must be');
  }
}

/** Often written for another system; nothing is missed without them. */
const IDLE: ReadonlySet<string> = new Set(['dhcp-option', 'route-metric']);

function keep(draft: ProfileDraft, directive: Directive): void {
  const { localOptions } = draft;
  if (localOptions.length < MAX_LOCAL_OPTIONS) localOptions.push(pushedForm(directive));
  else draft.invalidOnce(directive, `more than ${MAX_LOCAL_OPTIONS} options about the tunnel`);
}

function pushedForm({ name, args }: Directive): string {
  return joinWords([name, ...args]);
}

function readClientNat(draft: ProfileDraft, directive: Directive): void {
  const rule = clientNatOf(directive.args);
  const { clientNat } = draft.profile;
  if (rule === undefined) {
    draft.invalid(directive, 'expected snat or dnat, a network, its mask and an alias');
  } else if (clientNat.length === MAX_CLIENT_NAT) {
    draft.invalidOnce(directive, `more than ${MAX_CLIENT_NAT} rules`);
  } else draft.profile.clientNat = [...clientNat, rule];
}

const EXPECTED: ReadonlyMap<string, string> = new Map([
  ['topology', 'expected subnet, net30 or p2p'],
  ['ifconfig-ipv6', "expected an IPv6 address with the length of its prefix, and the peer's"],
]);
