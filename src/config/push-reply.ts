import { printable } from '../core/log.ts';
import { Secret } from '../core/secret.ts';
import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';
import { splitLine } from './line-words.ts';
import { PULL_ALL, type PullPolicy, pullRefusal } from './pull-policy.ts';
import { finishNameServers, finishSearchDomains, PUSH_DNS, serverTexts } from './push-dns.ts';
import { PushDraft, type PushReader, pushError } from './push-draft.ts';
import { finishAeadEpoch, PUSH_KEYS } from './push-keys.ts';
import { PUSH_NAT } from './push-nat.ts';
import { finishIpv4, finishTunMtu, PUSH_NETWORK } from './push-network.ts';
import { finishRedirect, PUSH_ROUTES } from './push-routes.ts';
import { PUSH_SESSION } from './push-session.ts';
import { PUSH_TEXTS } from './push-texts.ts';

/** Most options of one push, and the bytes they may have together. */
export const MAX_PUSH_OPTIONS = 1024;
export const MAX_PUSH_BYTES = 65_536;

/**
 * The only options that a server may set, whatever else it pushes. None of them reaches the
 * host: no route, no resolver, no environment, no file.
 */
const READERS: ReadonlyMap<string, PushReader> = new Map([
  ...PUSH_NETWORK,
  ...PUSH_ROUTES,
  ...PUSH_NAT,
  ...PUSH_TEXTS,
  ...PUSH_DNS,
  ...PUSH_KEYS,
  ...PUSH_SESSION,
]);

/** Options that are legal in a push and mean nothing without a kernel device. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  'block-outside-dns',
  'dhcp-pre-release',
  'dhcp-release',
  'dhcp-renew',
  'ifconfig-nowarn',
  'ip-win32',
  'mute',
  'persist-key',
  'persist-tun',
  'ping-timer-rem',
  'rcvbuf',
  'register-dns',
  'route-delay',
  'route-method',
  'route-metric',
  'setenv-safe',
  'shaper',
  'sndbuf',
  'socket-flags',
  'tap-sleep',
  'tun-ipv6',
  'verb',
]);

/** What a profile has to say about a push. */
export interface PushPolicy extends PullPolicy, Pick<Profile, 'localOptions' | 'clientNat'> {}

/** Of a profile that says nothing. */
export const NO_POLICY: PushPolicy = Object.freeze({
  ...PULL_ALL,
  localOptions: [],
  clientNat: [],
});

/**
 * Reads the options of a complete PUSH_REPLY, already cut at the commas and put together from all
 * its parts, as if the profile's own options stood before them. Of options that name one thing the
 * last wins; routes and name servers add up.
 *
 * @throws OvpnProtocolError with `OVPN_PUSH_INVALID` when an option without which the tunnel cannot
 * work is wrong (address, topology, peer id, cipher, key derivation, framing), when the profile
 * rejects one, or when the push is larger than any honest one
 */
export function readPushOptions(
  options: readonly string[],
  policy: PushPolicy = NO_POLICY,
): PushOptions {
  checkSize(options);
  const draft = new PushDraft();
  draft.clientNat.push(...policy.clientNat);
  for (const option of policy.localOptions) readOption(draft, option, PULL_ALL);
  const texts = options.map(shownOption);
  for (const option of options) readOption(draft, option, policy);
  const nameServers = finishNameServers(draft);
  return Object.freeze({
    ipv4: finishIpv4(draft),
    ipv6: draft.ipv6,
    topology: draft.topology,
    routeGateway: draft.routeGateway,
    routes: Object.freeze(draft.routes),
    redirect: finishRedirect(draft),
    blockIpv4: draft.blockIpv4,
    blockIpv6: draft.blockIpv6,
    clientNat: Object.freeze(draft.clientNat),
    dnsServers: Object.freeze(serverTexts(nameServers)),
    nameServers: Object.freeze(nameServers),
    searchDomains: Object.freeze(finishSearchDomains(draft)),
    tunMtu: finishTunMtu(draft),
    peerId: draft.peerId,
    cipher: draft.cipher,
    tlsEkm: draft.tlsEkm,
    ccExit: draft.ccExit,
    dynTlsCrypt: draft.dynTlsCrypt,
    aeadEpoch: finishAeadEpoch(draft),
    pingMs: draft.pingMs,
    pingRestartMs: draft.pingRestartMs,
    pingExitMs: draft.pingExitMs,
    inactiveMs: draft.inactiveMs,
    inactiveBytes: draft.inactiveBytes,
    sessionTimeoutMs: draft.sessionTimeoutMs,
    explicitExitNotify: draft.explicitExitNotify,
    compression: draft.compression,
    authToken: draft.authToken === undefined ? undefined : new Secret(draft.authToken),
    authTokenUser: draft.authTokenUser,
    echoes: Object.freeze(draft.echoes),
    texts: Object.freeze(texts),
    ignored: Object.freeze(draft.ignored),
  });
}

function readOption(draft: PushDraft, option: string, policy: PullPolicy): void {
  draft.shown = shownOption(option);
  const { words, problem } = splitLine(option);
  const [name, ...args] = words;
  if (problem !== undefined) draft.ignore(problem);
  else if (name !== undefined) {
    const refusal = pullRefusal(words, policy);
    if (refusal === undefined) read(draft, name, args);
    else draft.ignore(refusal);
  }
}

function read(draft: PushDraft, name: string, args: readonly string[]): void {
  const reader = READERS.get(name);
  if (reader !== undefined) reader(draft, args);
  else if (WITHOUT_MEANING.has(name)) draft.ignore('has no meaning without a kernel device');
  else draft.ignore('is not an option that a server may set');
}

function checkSize(options: readonly string[]): void {
  if (options.length > MAX_PUSH_OPTIONS) {
    throw pushError(`expected at most ${MAX_PUSH_OPTIONS} pushed options, got ${options.length}`);
  }
  const size = options.reduce((sum, option) => sum + Buffer.byteLength(option), 0);
  if (size > MAX_PUSH_BYTES) {
    throw pushError(`expected at most ${MAX_PUSH_BYTES} bytes of pushed options, got ${size}`);
  }
}

/** The option for people: printable, and without its secret. */
function shownOption(option: string): string {
  const token = /auth-token(-user)?/i.exec(option);
  return token === null ? printable(option) : `${token[0]} [redacted]`;
}
