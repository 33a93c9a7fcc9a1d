import { isIPv6 } from 'node:net';
import { DEFAULT_DATA_CIPHERS } from '../model/ciphers.ts';

/** What a client must know of a server. PEM and key texts are put inline. */
export interface ClientProfileParts {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp';
  readonly caPem: string;
  /** The client's own certificate and key; undefined where a password is enough. */
  readonly identity: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** Text of the static key file; undefined for a control channel without wrap. */
  readonly tlsCryptKey: string | undefined;
  /** Common name of the server's certificate. */
  readonly serverName: string | undefined;
  /** Whether the server asks for user name and password. */
  readonly authUserPass: boolean;
  /** In order of preference. Default: what both ends offer anyway. */
  readonly dataCiphers?: readonly string[];
}

/** The `.ovpn` text with which tundial or OpenVPN joins a server; it names no other file. */
export function clientProfileText(parts: ClientProfileParts): string {
  const { host, port, protocol, identity, tlsCryptKey, serverName } = parts;
  const { dataCiphers = DEFAULT_DATA_CIPHERS } = parts;
  const lines = [
    'client',
    'dev tun',
    'nobind',
    `proto ${protocol}${isIPv6(host) ? '6' : ''}`,
    `remote ${host} ${port}`,
    `data-ciphers ${dataCiphers.join(':')}`,
    'remote-cert-tls server',
    ...(serverName === undefined ? [] : [`verify-x509-name ${quoted(serverName)} name`]),
    ...(parts.authUserPass ? ['auth-user-pass'] : []),
    ...(protocol === 'udp' ? ['explicit-exit-notify 1'] : []),
    ...block('ca', parts.caPem),
    ...(identity === undefined ? [] : block('cert', identity.certPem)),
    ...(identity === undefined ? [] : block('key', identity.keyPem)),
    ...(tlsCryptKey === undefined ? [] : block('tls-crypt', tlsCryptKey)),
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function block(name: string, text: string): string[] {
  return [`<${name}>`, text.trim(), `</${name}>`];
}
