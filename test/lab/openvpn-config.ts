import type { Issued } from '../../src/server/pki.ts';

/** Addresses of the lab: the outer ones on the veth pair, the inner ones in the tunnel. */
export const LAB = {
  server: '192.168.77.1',
  client: '192.168.77.2',
  server6: 'fd77::1',
  client6: 'fd77::2',
  port: 1194,
  tunnelServer: '10.99.0.1',
  tunnelServer6: 'fd99:0:0:1::1',
} as const;

/** What both ends must agree on. */
export interface TunnelKind {
  /** Default: `udp`. */
  readonly proto?: 'udp' | 'tcp';
  /** Default: `AES-256-GCM`. */
  readonly cipher?: string;
  /** Default: `tls-crypt`. */
  readonly wrap?: 'none' | 'tls-crypt';
  /** Address family between client and server. Default: 4. */
  readonly outer?: 4 | 6;
  /** `user` asks for user name and password beside the certificate. Default: `certificate`. */
  readonly login?: 'certificate' | 'user';
}

/** Identity of one end, as PEM, and the shared static key; `caPem` may be empty. */
export interface Keys extends Issued {
  readonly caPem: string;
  readonly staticKey: string;
}

/** Configuration of OpenVPN's server; `lines` are further ones. */
export function serverConfig(kind: TunnelKind, keys: Keys, lines: readonly string[] = []): string {
  const { proto = 'udp', cipher = 'AES-256-GCM', outer = 4 } = kind;
  const family = outer === 6 ? '6' : '';
  return [
    'dev tun0',
    'topology subnet',
    `proto ${proto}${family}${proto === 'tcp' ? '-server' : ''}`,
    `local ${outer === 6 ? LAB.server6 : LAB.server}`,
    `port ${LAB.port}`,
    'server 10.99.0.0 255.255.255.0',
    'server-ipv6 fd99:0:0:1::/64',
    'keepalive 10 60',
    `data-ciphers ${cipher}`,
    'dh none',
    'remote-cert-tls client',
    'verb 4',
    `push "dhcp-option DNS ${LAB.tunnelServer}"`,
    'push "dhcp-option DOMAIN lab.test"',
    ...lines,
    ...blocks(kind, keys),
  ].join('\n');
}

/** Profile of the client that fits {@link serverConfig}; `lines` are further ones. */
export function clientProfile(kind: TunnelKind, keys: Keys, lines: readonly string[] = []): string {
  const { proto = 'udp', cipher = 'AES-256-GCM', outer = 4, login = 'certificate' } = kind;
  return [
    'client',
    'dev tun',
    `proto ${proto}`,
    `remote ${outer === 6 ? LAB.server6 : LAB.server} ${LAB.port}`,
    'nobind',
    `data-ciphers ${cipher}`,
    'remote-cert-tls server',
    ...(login === 'user' ? ['auth-user-pass'] : []),
    ...lines,
    ...blocks(kind, keys),
  ].join('\n');
}

function blocks({ wrap = 'tls-crypt' }: TunnelKind, keys: Keys): string[] {
  return [
    ...(keys.caPem === '' ? [] : [block('ca', keys.caPem)]),
    block('cert', keys.certPem),
    block('key', keys.keyPem),
    ...(wrap === 'tls-crypt' ? [block('tls-crypt', keys.staticKey)] : []),
  ];
}

function block(name: string, text: string): string {
  return `<${name}>\n${text.trim()}\n</${name}>`;
}
