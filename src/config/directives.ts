import type { DirectiveReader } from './profile-draft.ts';
import { CERTIFICATE_READERS } from './read-certificates.ts';
import { COMPRESSION_READERS } from './read-compression.ts';
import { CONTROL_WRAP_READERS } from './read-control-wrap.ts';
import { DATA_CHANNEL_READERS } from './read-data-channel.ts';
import { DATA_CIPHER_READERS } from './read-data-ciphers.ts';
import { PEER_CHECK_READERS } from './read-peer-checks.ts';
import { REMOTE_READERS } from './read-remotes.ts';
import { SESSION_READERS } from './read-session.ts';
import { TIMER_READERS } from './read-timers.ts';

/**
 * What becomes of a directive: it is read; it has no effect, and only `check` says so (`quiet`);
 * it has no effect, and the user is told (`warn`); or the profile is refused.
 */
export type DirectiveRule =
  | { readonly class: 'implement'; readonly read: DirectiveReader }
  | { readonly class: 'quiet' | 'warn' | 'refuse'; readonly reason: string };

type PassiveClass = 'quiet' | 'warn' | 'refuse';

/** Names by what becomes of them and why. A name of OpenVPN that is not here is unknown to us. */
const PASSIVE: readonly (readonly [PassiveClass, reason: string, names: string])[] = [
  [
    'quiet',
    'is how it works anyway',
    `nobind persist-key persist-tun tls-exit resolv-retry preresolve tcp-nodelay
     replay-persist tun-mtu-max auth-nocache`,
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
    `block-outside-dns register-dns max-routes redirect-gateway redirect-private route
     route-ipv6 route-metric route-gateway route-ipv6-gateway block-ipv6
     allow-recursive-routing`,
  ],
  ['quiet', 'buffers and flags of sockets are chosen by tundial', 'rcvbuf sndbuf socket-flags'],
  ['quiet', 'what is told is chosen by options of the program', 'verb mute mute-replay-warnings'],
  ['quiet', 'nothing of it is needed', 'tmp-dir prng opt-verify keying-material-exporter'],
  [
    'quiet',
    'one attempt is made over all remotes',
    'connect-retry connect-retry-max auth-retry remap-usr1',
  ],
  ['quiet', 'no hardware address is told', 'push-peer-info'],
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
     route-table`,
  ],
  [
    'warn',
    "the server's push decides",
    'ifconfig ifconfig-ipv6 topology route-nopull dhcp-option dns allow-pull-fqdn',
  ],
  ['warn', "the host's routes are never touched", 'route-delay route-method route-noexec'],
  [
    'warn',
    "the process is the program's own, not the profile's",
    'user group chroot cd setcon nice mlock daemon inetd pause-exit service',
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
     push-continuation ping-timer-rem`,
  ],
  [
    'warn',
    "the socket is the system's choice",
    `local lport bind bind-dev multihome mark passtos mtu-disc mtu-test persist-local-ip
     persist-remote-ip float remote-random-hostname`,
  ],
  [
    'warn',
    'sizes follow from tun-mtu and mssfix',
    'link-mtu udp-mtu tun-mtu-extra max-packet-size',
  ],
  [
    'warn',
    'there is no management interface',
    `management management-client management-client-auth management-client-group
     management-client-pf management-client-user management-forget-disconnect
     management-hold management-log-cache management-query-passwords
     management-query-proxy management-query-remote management-signal management-up-down`,
  ],
  [
    'warn',
    "OpenSSL is Node's own",
    'engine providers use-prediction-resistance tls-groups ecdh-curve',
  ],
  [
    'warn',
    'is not supported yet',
    `inactive session-timeout compat-mode disable-occ x509-track
     compat-names no-name-remapping gremlin`,
  ],
  [
    'warn',
    'has a meaning with http-proxy or socks-proxy only',
    `http-proxy-option http-proxy-user-pass http-proxy-retry http-proxy-timeout
     http-proxy-override socks-proxy-retry`,
  ],
  [
    'refuse',
    'is not supported yet',
    `fragment pkcs12 http-proxy socks-proxy
     static-challenge askpass verify-hash remote-cert-ku remote-cert-eku
     ns-cert-type capath client-nat`,
  ],
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
     single-session tls-crypt-v2-max-age vlan-accept vlan-pvid vlan-tagging`,
  ],
  ['refuse', 'is for an Ethernet device, and only tun is supported', 'lladdr'],
  [
    'refuse',
    'is another program, not a profile',
    `help version genkey mktun rmtun test-crypto show-adapters show-ciphers show-curves
     show-digests show-engines show-gateway show-groups show-net show-pkcs11-ids show-tls
     show-valid-subnets`,
  ],
  ['refuse', 'is no longer a directive of OpenVPN', 'tls-remote max-routes-per-peer'],
];

/** Every directive that we know, by name. */
export const DIRECTIVES: ReadonlyMap<string, DirectiveRule> = new Map<string, DirectiveRule>([
  ...PASSIVE.flatMap(([kind, reason, names]) =>
    names.split(/\s+/).map((name) => [name, { class: kind, reason }] as const),
  ),
  ...[
    ...REMOTE_READERS,
    ...CERTIFICATE_READERS,
    ...CONTROL_WRAP_READERS,
    ...PEER_CHECK_READERS,
    ...DATA_CIPHER_READERS,
    ...DATA_CHANNEL_READERS,
    ...COMPRESSION_READERS,
    ...TIMER_READERS,
    ...SESSION_READERS,
  ].map(([name, read]) => [name, { class: 'implement', read }] as const),
]);
