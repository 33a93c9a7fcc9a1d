import type { DirectiveReader } from './profile-draft.ts';
import { CERTIFICATE_READERS } from './read-certificates.ts';
import { COMPRESSION_READERS } from './read-compression.ts';
import { CONNECTING_READERS } from './read-connecting.ts';
import { CONTROL_WRAP_READERS } from './read-control-wrap.ts';
import { DATA_CHANNEL_READERS } from './read-data-channel.ts';
import { DATA_CIPHER_READERS } from './read-data-ciphers.ts';
import { LOCAL_OPTION_READERS } from './read-local-options.ts';
import { PEER_CHECK_READERS } from './read-peer-checks.ts';
import { PROXY_READERS } from './read-proxies.ts';
import { PULL_POLICY_READERS } from './read-pull-policy.ts';
import { REMOTE_READERS } from './read-remotes.ts';
import { REVOCATION_READERS } from './read-revocation.ts';
import { SCRAMBLE_READERS } from './read-scramble.ts';
import { SESSION_READERS } from './read-session.ts';
import { SIGN_IN_READERS } from './read-sign-in.ts';
import { TIMER_READERS } from './read-timers.ts';
import { TLS_CHOICE_READERS } from './read-tls-choices.ts';

/**
 * What becomes of a directive: it is read; it has no effect, and only `check` says so (`quiet`);
 * it has no effect, and the user is told (`warn`); or the profile is refused.
 */
export type DirectiveEffect =
  | { readonly class: 'implement'; readonly read: DirectiveReader }
  | { readonly class: 'quiet' | 'warn' | 'refuse'; readonly reason: string };

export type DirectiveRule = DirectiveEffect & {
  /** Whether it may stand in a `<connection>` block too. */
  readonly inConnection: boolean;
};

type PassiveClass = 'quiet' | 'warn' | 'refuse';

const IMPLEMENTED = [
  ...REMOTE_READERS,
  ...CONNECTING_READERS,
  ...PROXY_READERS,
  ...CERTIFICATE_READERS,
  ...REVOCATION_READERS,
  ...CONTROL_WRAP_READERS,
  ...PEER_CHECK_READERS,
  ...TLS_CHOICE_READERS,
  ...SIGN_IN_READERS,
  ...DATA_CIPHER_READERS,
  ...DATA_CHANNEL_READERS,
  ...COMPRESSION_READERS,
  ...SCRAMBLE_READERS,
  ...TIMER_READERS,
  ...SESSION_READERS,
  ...PULL_POLICY_READERS,
  ...LOCAL_OPTION_READERS,
];

/** The others, by what becomes of them and why. A name of OpenVPN that is nowhere is unknown to us. */
const PASSIVE: readonly (readonly [PassiveClass, reason: string, names: string])[] = [
  [
    'quiet',
    'is how it works anyway',
    `persist-key tls-exit preresolve ip-remote-hint remote-ip-hint tcp-nodelay replay-persist
     tun-mtu-max allow-recursive-routing`,
  ],
  ['quiet', 'no program is ever started', 'script-security'],
  [
    'quiet',
    'there is no kernel device behind the tunnel',
    'tun-ipv6 txqueuelen disable-dco fast-io',
  ],
  [
    'quiet',
    "the host's routes and DNS are never touched",
    'block-outside-dns register-dns max-routes',
  ],
  ['quiet', 'buffers and flags of sockets are chosen by tundial', 'rcvbuf sndbuf socket-flags'],
  ['quiet', 'what is told is chosen by options of the program', 'verb mute mute-replay-warnings'],
  ['quiet', 'nothing of it is needed', 'tmp-dir prng opt-verify keying-material-exporter'],
  ['quiet', 'nothing is ever compressed', 'comp-noadapt'],
  ['quiet', 'no environment is set: no program is ever started', 'setenv-safe'],
  [
    'warn',
    'no program is ever started',
    `up down route-up route-pre-down down-pre up-delay up-restart ipchange dns-updown
     iproute`,
  ],
  [
    'warn',
    'there is no kernel device behind the tunnel',
    `dev-node ifconfig-noexec ifconfig-nowarn shaper windows-driver ip-win32 tap-sleep
     dhcp-renew dhcp-release dhcp-pre-release dhcp-internal rdns-internal show-net-up
     route-table win-sys msg-channel`,
  ],
  [
    'warn',
    "the host's routes are never touched",
    'route-delay route-method route-noexec route-ipv6-gateway',
  ],
  ['warn', 'no name is resolved for a route', 'allow-pull-fqdn'],
  [
    'warn',
    "the process is the program's own, not the profile's",
    'user group chroot cd setcon nice mlock daemon inetd pause-exit service remap-usr1',
  ],
  [
    'warn',
    'no file is written for a profile',
    `syslog log log-append writepid status status-version suppress-timestamps
     machine-readable-output errors-to-stderr tls-export-cert memstats`,
  ],
  [
    'warn',
    'only the push of a server has an effect',
    `echo parameter auth-token auth-token-user peer-id protocol-flags key-derivation
     push-continuation ping-timer-rem block-ipv4 redirect-dns custom-control foreign-option`,
  ],
  [
    'warn',
    "the socket is the system's choice",
    'bind-dev multihome mark passtos mtu-disc persist-local-ip persist-remote-ip',
  ],
  ['warn', 'sizes follow from tun-mtu and mssfix', 'link-mtu udp-mtu tun-mtu-extra'],
  [
    'warn',
    'there is no management interface',
    `management management-client management-client-auth management-client-group
     management-client-pf management-client-user management-forget-disconnect
     management-hold management-log-cache management-query-passwords
     management-query-proxy management-query-remote management-signal management-up-down
     http-proxy-override`,
  ],
  ['warn', "OpenSSL is Node's own", 'engine providers use-prediction-resistance'],
  [
    'warn',
    'changes nothing of a client',
    `disable-occ x509-track compat-names no-name-remapping gremlin
     allow-deprecated-insecure-static-crypto`,
  ],
  [
    'warn',
    'is no longer needed: server-poll-timeout covers the proxy',
    'http-proxy-retry http-proxy-timeout socks-proxy-retry',
  ],
  ['refuse', 'is not supported: name a file of authorities with ca', 'capath'],
  [
    'refuse',
    'is not supported: no program is ever started, and ignoring the check would weaken it',
    'tls-verify plugin auth-user-pass-verify tls-crypt-v2-verify',
  ],
  [
    'refuse',
    'is not supported: no key is held outside the profile',
    `cryptoapicert management-external-key management-external-cert pkcs11-cert-private
     pkcs11-id pkcs11-id-management pkcs11-pin-cache pkcs11-private-mode
     pkcs11-protected-authentication pkcs11-providers`,
  ],
  ['refuse', 'needs the client of AWS: its way to sign in is not spoken', 'auth-federate'],
  ['refuse', 'would make the tunnel insecure', 'secret no-replay no-iv'],
  ['refuse', 'a profile cannot include another file of directives', 'config'],
  [
    'refuse',
    'is for a server, and this is a client',
    `tls-server server server-ipv6 server-bridge push push-reset push-remove
     ifconfig-pool ifconfig-pool-linear ifconfig-pool-persist ifconfig-ipv6-pool
     ifconfig-push ifconfig-push-constraint ifconfig-ipv6-push iroute iroute-ipv6
     client-config-dir ccd-exclusive client-connect client-disconnect client-crresponse
     client-to-client client-cert-not-required verify-client-cert username-as-common-name
     auth-user-pass-optional auth-gen-token auth-gen-token-secret learn-address
     duplicate-cn disable dh hash-size bcast-buffers tcp-queue-limit connect-freq
     connect-freq-initial max-clients max-routes-per-client port-share stale-routes-check
     single-session tls-crypt-v2-max-age vlan-accept vlan-pvid vlan-tagging
     force-tls-key-material-export override-username`,
  ],
  ['refuse', 'is for an Ethernet device, and only tun is supported', 'lladdr'],
  [
    'refuse',
    'is another program, not a profile',
    `help version genkey mktun rmtun test-crypto show-adapters show-ciphers show-curves
     show-digests show-engines show-gateway show-groups show-net show-pkcs11-ids show-tls
     show-valid-subnets allow-nonadmin`,
  ],
  ['refuse', 'is no longer a directive of OpenVPN', 'tls-remote max-routes-per-peer mtu-dynamic'],
];

/** What may stand in a `<connection>` block, whatever becomes of it. Source: options.c. */
const IN_CONNECTION: ReadonlySet<string> = new Set(
  `bind connect-retry connect-retry-max connect-timeout explicit-exit-notify float fragment
   http-proxy http-proxy-option http-proxy-retry http-proxy-timeout http-proxy-user-pass
   key-direction link-mtu local lport max-packet-size mssfix mtu-disc mtu-dynamic nobind port
   proto remote rport server-poll-timeout socks-proxy socks-proxy-retry tls-auth tls-crypt
   tls-crypt-v2 tun-mtu tun-mtu-extra tun-mtu-max udp-mtu`.split(/\s+/),
);

/** The table: each directive with its rule. */
export const RULES: readonly (readonly [name: string, rule: DirectiveRule])[] = [
  ...PASSIVE.flatMap(([kind, reason, names]) =>
    names.split(/\s+/).map((name) => ruleOf(name, { class: kind, reason })),
  ),
  ...IMPLEMENTED.map(([name, read]) => ruleOf(name, { class: 'implement', read })),
];

/** Every directive that we know, by name. */
export const DIRECTIVES: ReadonlyMap<string, DirectiveRule> = new Map(RULES);

function ruleOf(name: string, what: DirectiveEffect): readonly [string, DirectiveRule] {
  return [name, { ...what, inConnection: IN_CONNECTION.has(name) }];
}
