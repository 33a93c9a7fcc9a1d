import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import type { Profile } from '../../src/model/profile.ts';
import { CA, CERT, inline, KEY, TLS_AUTH, TLS_CRYPT, TLS_CRYPT_V2 } from './sample-profile.ts';

const directory = mkdtempSync(join(tmpdir(), 'tundial-whole-'));
beforeAll(() => {
  const files = { 'ca.crt': CA, 'client.crt': CERT, 'client.key': KEY, 'ta.key': TLS_AUTH };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  writeFileSync(join(directory, 'login.conf'), 'me\nsecret\n', { mode: 0o600 });
});
afterAll(() => rmSync(directory, { recursive: true }));

const IDENTITY = [inline('ca', CA), inline('cert', CERT), inline('key', KEY)].join('\n');

/** Profiles as they are handed out, by kind of sender; keys and hosts are our own. */
const PROFILES: readonly {
  readonly sender: string;
  readonly text: string;
  readonly expected: Partial<Profile>;
  /** Directives that are told to whoever connects. */
  readonly warned: readonly string[];
}[] = [
  {
    sender: 'an access server with a one-time code',
    text: `# Automatically generated OpenVPN client config file
# Note: this config file contains inline private keys
# Define the profile name of this particular configuration file
# OVPN_ACCESS_SERVER_PROFILE=me@vpn.example.com
# OVPN_ACCESS_SERVER_FRIENDLY_NAME=Example
# OVPN_ACCESS_SERVER_AUTOLOGIN=0
# OVPN_ACCESS_SERVER_CLI_PREF_ALLOW_WEB_IMPORT=True
# OVPN_ACCESS_SERVER_WEB_CA_BUNDLE_START
# -----BEGIN CERTIFICATE-----
# AAAA
# -----END CERTIFICATE-----
# OVPN_ACCESS_SERVER_WEB_CA_BUNDLE_STOP
# OVPN_ACCESS_SERVER_IS_OPENVPN_WEB_CA=1
setenv FORWARD_COMPATIBLE 1
client
server-poll-timeout 4
nobind
remote vpn.example.com 1194 udp
remote vpn.example.com 1194 udp
remote vpn.example.com 443 tcp
remote vpn.example.com 1194 udp
dev tun
dev-type tun
remote-cert-tls server
tls-version-min 1.2
reneg-sec 604800
tun-mtu 1420
auth-user-pass
static-challenge "Enter Authenticator Code" 1
verb 3
push-peer-info
setenv PUSH_PEER_INFO
setenv opt tls-version-min 1.0 or-highest
setenv opt tls-cipher DEFAULT:@SECLEVEL=1
setenv USERNAME me
setenv ALLOW_PASSWORD_SAVE 0
setenv SERVER vpn.example.com/Example
new-directive-of-tomorrow 1
${IDENTITY}
${inline('tls-crypt-v2', TLS_CRYPT_V2)}
## -----BEGIN RSA SIGNATURE-----
## DIGEST:sha256
## AAAA
## -----END RSA SIGNATURE-----
`,
    expected: {
      serverPollTimeoutMs: 4000,
      pushPeerInfo: true,
      tunMtu: 1420,
      staticChallenge: { text: 'Enter Authenticator Code', echo: true, format: 'scrv1' },
    },
    warned: ['tls-version-min'],
  },
  {
    sender: 'a firewall',
    text: `dev tun
persist-tun
persist-key
data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305:AES-256-CBC
data-ciphers-fallback AES-256-CBC
auth SHA256
tls-client
client
resolv-retry infinite
remote 192.0.2.1 1194 udp4
lport 0
nobind
verify-x509-name "server" name
auth-user-pass
remote-cert-tls server
explicit-exit-notify

${IDENTITY}
<tls-auth>
#
# 2048 bit OpenVPN static key
#
${TLS_AUTH}</tls-auth>
key-direction 1
`,
    expected: {
      persistTun: true,
      dataCiphersFallback: 'AES-256-CBC',
      local: undefined,
      explicitExitNotify: 1,
    },
    warned: [],
  },
  {
    sender: 'a storage box',
    text: `dev tun
tls-client

remote nas.example.org 1194

# The "float" tells OpenVPN to accept authenticated packets from any address,
#float

# redirect-gateway def1

# dhcp-option DNS DNS_IP_ADDRESS

pull

# If you want to connect by Server's IPv6 address, you should use
# "proto udp6" in UDP mode or "proto tcp6-client" in TCP mode
proto udp

script-security 2


comp-lzo

reneg-sec 0

cipher AES-256-CBC

auth SHA512

auth-user-pass
${inline('ca', CA)}
`.replaceAll('\n', '\r\n'),
    expected: { auth: 'SHA512', cipher: 'AES-256-CBC', allowDecompression: true, renegSecMs: 0 },
    warned: ['remote-cert-tls', 'comp-lzo'],
  },
  {
    sender: 'a provider with many hosts',
    text: `client
dev tun
proto udp
remote-random
remote 192.0.2.10 1195
remote 192.0.2.11 1302
remote de.example.net
resolv-retry infinite
nobind
tun-mtu 1500
tun-mtu-extra 32
mssfix 1450
persist-key
persist-tun
ping 15
ping-restart 0
ping-timer-rem
reneg-sec 0
comp-lzo no
verify-x509-name CN=de.example.net
remote-cert-tls server

auth-user-pass login.conf
verb 3
pull
fast-io
cipher AES-256-CBC
data-ciphers AES-256-GCM:AES-256-CBC
auth SHA512
sndbuf 393216
rcvbuf 393216
${inline('ca', CA)}
key-direction 1
${inline('tls-auth', TLS_AUTH)}
`,
    expected: {
      remoteRandom: true,
      mssfix: 1478,
      pingMs: 15_000,
      pingRestartMs: 0,
      compression: 'comp-lzo-no',
    },
    warned: ['tun-mtu-extra', 'ping-timer-rem'],
  },
  {
    sender: 'a provider that splits datagrams',
    text: `dev tun
fast-io
persist-key
persist-tun
nobind
remote newyork.example.com 1195

remote-random
pull
comp-lzo no
tls-client
verify-x509-name Server name-prefix
ns-cert-type server
key-direction 1
route-method exe
route-delay 2
tun-mtu 1500
fragment 1300
mssfix 1200
verb 3
cipher AES-256-CBC
keysize 256
auth SHA512
sndbuf 524288
rcvbuf 524288
auth-user-pass
${IDENTITY}
${inline('tls-auth', TLS_AUTH)}
`,
    expected: { fragment: 1300, mssfix: 1228, nsCertType: 'server' },
    warned: ['route-method', 'route-delay', 'keysize'],
  },
  {
    sender: 'a provider with scripts for Linux',
    text: `client
dev tun
proto tcp
remote 192.0.2.20 443
remote 192.0.2.21 7770
server-poll-timeout 20
remote-random
resolv-retry infinite
nobind
cipher AES-256-CBC
auth SHA512
comp-lzo no
verb 3
setenv CLIENT_CERT 0
tun-mtu 1500
mssfix 0
persist-key
persist-tun
reneg-sec 0
remote-cert-tls server
auth-user-pass
script-security 2
up /etc/openvpn/update-resolv-conf
down /etc/openvpn/update-resolv-conf
user nobody
group nogroup
${inline('ca', CA)}
${inline('tls-crypt', TLS_CRYPT)}
`,
    expected: { mssfix: 0, serverPollTimeoutMs: 20_000 },
    warned: ['up', 'down', 'user', 'group'],
  },
  {
    sender: 'a provider with files beside the profile',
    text: `client
remote 1-us.example.com 443
dev tun
proto udp

auth-user-pass

resolv-retry infinite
redirect-gateway def1
persist-key
persist-tun
nobind
cipher AES-256-CBC
ncp-disable
auth SHA256
ping 5
ping-exit 60
ping-timer-rem
explicit-exit-notify 2
script-security 2
remote-cert-tls server
route-delay 5
tun-mtu 1500
fragment 1300
mssfix 1300
verb 4
comp-lzo

ca ca.crt
cert client.crt
key "client.key"
tls-auth ta.key 1
`,
    expected: { fragment: 1300, dataCiphers: ['AES-256-CBC'], pingExitMs: 60_000 },
    warned: ['ncp-disable', 'ping-timer-rem', 'route-delay', 'comp-lzo'],
  },
  {
    sender: 'volunteers with a bridge behind',
    text: `###############################################################################
# OpenVPN 2.0 Sample Configuration File
###############################################################################
dev tun
proto tcp
remote vpn123456789.example.net 443
;http-proxy-retry
;http-proxy [proxy server] [proxy port]
cipher AES-128-CBC
auth SHA1
resolv-retry infinite
nobind
persist-key
persist-tun
client
verb 3
#auth-user-pass
${IDENTITY}
`,
    expected: { cipher: 'AES-128-CBC' },
    warned: ['remote-cert-tls'],
  },
  {
    sender: 'a cloud',
    text: `client
dev tun
proto udp
remote cvpn-endpoint-0123456789abcdef0.example.com 443
remote-random-hostname
resolv-retry infinite
nobind
remote-cert-tls server
cipher AES-256-GCM
verb 3
${inline('ca', CA)}
auth-user-pass
auth-retry interact
auth-nocache
reneg-sec 0
verify-x509-name server.example.com name
`,
    expected: { remoteRandomHostname: true, authRetry: 'interact', authNocache: true },
    warned: [],
  },
  {
    sender: 'a company with fall-backs in blocks',
    text: `client
dev tun
nobind
auth-user-pass
remote-cert-tls server
connect-retry 2 30
server-poll-timeout 10
<connection>
remote vpn1.example.com 1194 udp
explicit-exit-notify 2
fragment 1200
</connection>
<connection>
remote vpn1.example.com 443 tcp
# through the proxy of the house
http-proxy proxy.example.com 8080 stdin basic
http-proxy-option AGENT "Example/1.0"
</connection>
<connection>
remote vpn2.example.com 443 tcp-client
connect-timeout 30
${inline('tls-auth', TLS_AUTH)}
key-direction 1
</connection>
route 10.0.0.0 255.0.0.0 vpn_gateway
dhcp-option DOMAIN example.com
pull-filter ignore redirect-gateway
inactive 3600
${IDENTITY}
${inline('tls-crypt', TLS_CRYPT)}
`,
    expected: {
      localOptions: ['route 10.0.0.0 255.0.0.0 vpn_gateway', 'dhcp-option DOMAIN example.com'],
      pullFilters: [{ action: 'ignore', text: 'redirect-gateway' }],
      inactive: { ms: 3_600_000, bytes: 0 },
    },
    warned: [],
  },
  {
    sender: 'a client of Windows or macOS',
    text: `client
dev tun
dev-node "OpenVPN TAP"
windows-driver wintun
ip-win32 dynamic
route-method exe
block-outside-dns
register-dns
remote 192.0.2.30 1194 udp
scramble obfuscate swordfish
remote-cert-tls server
auth-user-pass
auth-retry nointeract
mute 20
mute-replay-warnings
status status.log 60
log-append "C:\\\\logs\\\\vpn.log"
management 127.0.0.1 7505
management-query-passwords
management-hold
service exit_event 0
${inline('ca', CA)}
`,
    expected: { authRetry: 'nointeract' },
    warned: [
      'dev-node',
      'windows-driver',
      'ip-win32',
      'route-method',
      'status',
      'log-append',
      'management',
      'management-query-passwords',
      'management-hold',
      'service',
    ],
  },
];

describe.each(PROFILES)('a profile of $sender', ({ text, expected, warned }) => {
  function profile(): Profile {
    const path = join(directory, 'client.ovpn');
    writeFileSync(path, text);
    return readProfile(path);
  }

  test('is accepted, and means what it says', () => {
    expect(profile()).toMatchObject(expected);
  });

  test('has directives without effect, of which some are told', () => {
    const told = profile().ignored.filter(({ level }) => level === 'warn');
    const names = told.map(({ directive }) => directive);
    expect(names.toSorted()).toEqual(warned.toSorted());
  });
});
