import { describe, expect, test } from 'vitest';
import { DIRECTIVES, RULES } from '../../src/config/directives.ts';
import { errorOf, profileWith, read } from './sample-profile.ts';

/** Every option that a release of OpenVPN from 2.3 to 2.7 has (options.c `add_option`). */
const OPTIONS =
  `allow-compression allow-deprecated-insecure-static-crypto allow-nonadmin allow-pull-fqdn
  allow-recursive-routing askpass auth auth-gen-token auth-gen-token-secret auth-nocache
  auth-retry auth-token auth-token-user auth-user-pass auth-user-pass-optional
  auth-user-pass-verify bcast-buffers bind bind-dev block-ipv6 block-outside-dns ca capath
  ccd-exclusive cd cert chroot cipher client client-cert-not-required client-config-dir
  client-connect client-crresponse client-disconnect client-nat client-to-client comp-lzo
  comp-noadapt compat-mode compat-names compress config connect-freq connect-freq-initial
  connect-retry connect-retry-max connect-timeout connection crl-verify cryptoapicert daemon
  data-ciphers data-ciphers-fallback dev dev-node dev-type dh dhcp-internal dhcp-option
  dhcp-pre-release dhcp-release dhcp-renew disable disable-dco disable-occ dns dns-updown down
  down-pre duplicate-cn ecdh-curve echo engine errors-to-stderr explicit-exit-notify extra-certs
  fast-io float force-tls-key-material-export foreign-option fragment genkey gremlin group
  hand-window hash-size help http-proxy http-proxy-option http-proxy-override http-proxy-retry
  http-proxy-timeout http-proxy-user-pass ifconfig ifconfig-ipv6 ifconfig-ipv6-pool
  ifconfig-ipv6-push ifconfig-noexec ifconfig-nowarn ifconfig-pool ifconfig-pool-linear
  ifconfig-pool-persist ifconfig-push ifconfig-push-constraint ignore-unknown-option inactive
  inetd ip-remote-hint ip-win32 ipchange iproute iroute iroute-ipv6 keepalive key key-derivation
  key-direction key-method keying-material-exporter keysize learn-address link-mtu lladdr local
  log log-append lport machine-readable-output management management-client management-client-auth
  management-client-group management-client-pf management-client-user management-external-cert
  management-external-key management-forget-disconnect management-hold management-log-cache
  management-query-passwords management-query-proxy management-query-remote management-signal
  management-up-down mark max-clients max-packet-size max-routes max-routes-per-client memstats
  mktun mlock mode msg-channel mssfix mtu-disc mtu-dynamic mtu-test multihome mute
  mute-replay-warnings ncp-ciphers ncp-disable nice no-iv no-name-remapping no-replay nobind
  ns-cert-type opt-verify override-username parameter passtos pause-exit peer-fingerprint peer-id
  persist-key persist-local-ip persist-remote-ip persist-tun ping ping-exit ping-restart
  ping-timer-rem pkcs11-cert-private pkcs11-id pkcs11-id-management pkcs11-pin-cache
  pkcs11-private-mode pkcs11-protected-authentication pkcs11-providers pkcs12 plugin port
  port-share preresolve prng proto proto-force protocol-flags providers pull pull-filter push
  push-continuation push-peer-info push-remove push-reset rcvbuf rdns-internal redirect-gateway
  redirect-private register-dns remap-usr1 remote remote-cert-eku remote-cert-ku remote-cert-tls
  remote-ip-hint remote-random remote-random-hostname reneg-bytes reneg-pkts reneg-sec
  replay-persist replay-window resolv-retry rmtun route route-delay route-gateway route-ipv6
  route-ipv6-gateway route-method route-metric route-noexec route-nopull route-pre-down
  route-table route-up rport script-security secret server server-bridge server-ipv6
  server-poll-timeout service session-timeout setcon setenv setenv-safe shaper show-adapters
  show-ciphers show-curves show-digests show-engines show-gateway show-groups show-net show-net-up
  show-pkcs11-ids show-tls show-valid-subnets single-session sndbuf socket-flags socks-proxy
  socks-proxy-retry stale-routes-check static-challenge status status-version suppress-timestamps
  syslog tap-sleep tcp-nodelay tcp-queue-limit test-crypto tls-auth tls-cert-profile tls-cipher
  tls-ciphersuites tls-client tls-crypt tls-crypt-v2 tls-crypt-v2-max-age tls-crypt-v2-verify
  tls-exit tls-export-cert tls-groups tls-remote tls-server tls-timeout tls-verify tls-version-max
  tls-version-min tmp-dir topology tran-window tun-ipv6 tun-mtu tun-mtu-extra tun-mtu-max
  txqueuelen udp-mtu up up-delay up-restart use-prediction-resistance user username-as-common-name
  verb verify-client-cert verify-hash verify-x509-name version vlan-accept vlan-pvid vlan-tagging
  win-sys windows-driver writepid x509-track x509-username-field`.split(/\s+/);

/** What else is found in profiles: Tunnelblick's, openvpn3's, and what is long gone. */
const FOREIGN = ['scramble', 'block-ipv4', 'redirect-dns', 'custom-control', 'tun-ipv6'];

function namesOf(kind: string): string[] {
  return [...DIRECTIVES].filter(([, rule]) => rule.class === kind).map(([name]) => name);
}

describe('DIRECTIVES', () => {
  test('knows every option of OpenVPN', () => {
    expect([...OPTIONS, ...FOREIGN].filter((name) => !DIRECTIVES.has(name))).toEqual([]);
  });

  test('has each of them in one place', () => {
    expect(RULES.length).toBe(DIRECTIVES.size);
  });

  test('knows no name of Object', () => {
    expect(DIRECTIVES.has('constructor') || DIRECTIVES.has('__proto__')).toBe(false);
  });

  test.each(namesOf('quiet'))('%s has no effect, quietly', (name) => {
    expect(read(`${name} x`).ignored).toEqual([
      expect.objectContaining({ directive: name, level: 'quiet' }),
    ]);
  });

  test.each(namesOf('warn'))('%s has no effect, and that is told', (name) => {
    expect(read(`${name} x`).ignored).toEqual([
      expect.objectContaining({ directive: name, level: 'warn' }),
    ]);
  });

  test.each(namesOf('refuse'))('%s is refused by name and line', (name) => {
    const { code, directive, line } = errorOf(`${name} x\n${profileWith()}`);
    expect({ code, directive, line }).toEqual({
      code: 'OVPN_CONFIG_REFUSED',
      directive: name,
      line: 1,
    });
  });

  test.each([
    'tls-verify',
    'plugin',
    'secret',
    'config',
    'tls-server',
    'push',
    'no-replay',
    'capath',
  ])('%s is never passed over', (name) => {
    expect(DIRECTIVES.get(name)?.class).toBe('refuse');
  });

  test('says why a check by a program is refused', () => {
    expect(errorOf(profileWith('tls-verify /bin/true')).message).toContain(
      'no program is ever started',
    );
  });

  test.each(['up', 'down', 'route-up', 'down-pre', 'ipchange', 'dns-updown', 'iproute'])(
    '%s starts nothing and is told of',
    (name) => {
      expect(DIRECTIVES.get(name)).toMatchObject({
        class: 'warn',
        reason: 'no program is ever started',
      });
    },
  );
});
