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

/** How control packets are protected. */
export type Wrap = 'none' | 'tls-auth' | 'tls-crypt' | 'tls-crypt-v2';

/** What both ends must agree on. */
export interface TunnelKind {
  /** Default: `udp`. */
  readonly proto?: 'udp' | 'tcp';
  /** What goes behind `data-ciphers`. Default: `AES-256-GCM`. */
  readonly cipher?: string;
  /** Default: `tls-crypt`. */
  readonly wrap?: Wrap;
  /** The digest of tls-auth and of CBC ciphers. Default: not named, which is SHA1. */
  readonly auth?: string | undefined;
  /** `key-direction` of the server, of which the client has the other. Default: none. */
  readonly direction?: 0 | 1 | undefined;
  /** The only version of TLS that the client takes. Default: any. */
  readonly tls?: '1.2' | '1.3';
  /** Address family between client and server; a server may take `both`. Default: 4. */
  readonly outer?: 4 | 6 | 'both';
  /** `user` asks for user name and password beside the certificate. Default: `certificate`. */
  readonly login?: 'certificate' | 'user';
  /** Where the client believes the server to be: a relay's port. Default: the server's own. */
  readonly clientPort?: number;
}

/** Identity of one end, as PEM, and its keys of the wraps; what is empty is left out. */
export interface Keys extends Issued {
  readonly caPem: string;
  /** The same at both ends: of tls-auth and tls-crypt. */
  readonly staticKey: string;
  /** The tls-crypt-v2 key of this end. */
  readonly v2Key: string;
}

/** Configuration of OpenVPN's server; `lines` are further ones. */
export function serverConfig(kind: TunnelKind, keys: Keys, lines: readonly string[] = []): string {
  const { proto = 'udp', cipher = 'AES-256-GCM', outer = 4 } = kind;
  const family = outer === 4 ? '' : '6';
  return [
    'dev tun0',
    'topology subnet',
    `proto ${proto}${family}${proto === 'tcp' ? '-server' : ''}`,
    ...(outer === 'both' ? [] : [`local ${outer === 6 ? LAB.server6 : LAB.server}`]),
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
    ...digest(kind),
    ...lines,
    ...blocks(kind, kind.direction, keys),
  ].join('\n');
}

/** Profile of the client that fits {@link serverConfig}; `lines` are further ones. */
export function clientProfile(kind: TunnelKind, keys: Keys, lines: readonly string[] = []): string {
  const { proto = 'udp', cipher = 'AES-256-GCM', outer = 4, tls, login = 'certificate' } = kind;
  const { clientPort = LAB.port } = kind;
  const direction = kind.direction === undefined ? undefined : kind.direction === 0 ? 1 : 0;
  return [
    'client',
    'dev tun',
    `proto ${proto}`,
    `remote ${outer === 6 ? LAB.server6 : LAB.server} ${clientPort}`,
    'nobind',
    `data-ciphers ${cipher}`,
    'remote-cert-tls server',
    ...(login === 'user' ? ['auth-user-pass'] : []),
    ...(tls === undefined ? [] : [`tls-version-min ${tls}`, `tls-version-max ${tls}`]),
    ...digest(kind),
    ...lines,
    ...blocks(kind, direction, keys),
  ].join('\n');
}

function digest({ auth }: TunnelKind): string[] {
  return auth === undefined ? [] : [`auth ${auth}`];
}

function blocks({ wrap = 'tls-crypt' }: TunnelKind, direction: number | undefined, keys: Keys) {
  return [
    ...block('ca', keys.caPem),
    ...block('cert', keys.certPem),
    ...block('key', keys.keyPem),
    ...(wrap === 'tls-auth' && direction !== undefined ? [`key-direction ${direction}`] : []),
    ...(wrap === 'none' ? [] : block(wrap, wrap === 'tls-crypt-v2' ? keys.v2Key : keys.staticKey)),
  ];
}

function block(name: string, text: string): string[] {
  return text === '' ? [] : [`<${name}>\n${text.trim()}\n</${name}>`];
}
