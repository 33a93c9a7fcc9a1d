import { isIPv6 } from 'node:net';
import { DEFAULT_DATA_CIPHERS } from '../model/ciphers.ts';
import { DEFAULT_DIGEST } from '../model/digests.ts';

/** What a client must know of a server. PEM and key texts are put inline. */
export interface ClientProfileParts {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp';
  readonly caPem: string;
  /** The client's own certificate and key; undefined where a password is enough. */
  readonly identity: { readonly certPem: string; readonly keyPem: string } | undefined;
  /** Text of the static key file for tls-crypt; undefined for another wrap or none. */
  readonly tlsCryptKey: string | undefined;
  /** Text of the static key file for tls-auth, with `key-direction 1`. */
  readonly tlsAuthKey?: string | undefined;
  /** Text of this client's key file for tls-crypt-v2. */
  readonly tlsCryptV2Key?: string | undefined;
  /** Common name of the server's certificate. */
  readonly serverName: string | undefined;
  /** Whether the server asks for user name and password. */
  readonly authUserPass: boolean;
  /** In order of preference. Default: what both ends offer anyway. */
  readonly dataCiphers?: readonly string[];
  /** Digest of CBC ciphers and of tls-auth. Default: `SHA1`, which goes without saying. */
  readonly auth?: string;
}

/** The `.ovpn` text with which tundial or OpenVPN joins a server; it names no other file. */
export function clientProfileText(parts: ClientProfileParts): string {
  const { host, port, protocol, identity, tlsAuthKey, tlsCryptKey, tlsCryptV2Key } = parts;
  const { serverName, dataCiphers = DEFAULT_DATA_CIPHERS, auth = DEFAULT_DIGEST } = parts;
  const lines = [
    'client',
    'dev tun',
    'nobind',
    `proto ${protocol}${isIPv6(host) ? '6' : ''}`,
    `remote ${host} ${port}`,
    `data-ciphers ${dataCiphers.join(':')}`,
    ...(auth === DEFAULT_DIGEST ? [] : [`auth ${auth}`]),
    'remote-cert-tls server',
    ...(serverName === undefined ? [] : [`verify-x509-name ${quoted(serverName)} name`]),
    ...(parts.authUserPass ? ['auth-user-pass'] : []),
    ...(protocol === 'udp' ? ['explicit-exit-notify 1'] : []),
    ...block('ca', parts.caPem),
    ...(identity === undefined ? [] : block('cert', identity.certPem)),
    ...(identity === undefined ? [] : block('key', identity.keyPem)),
    ...(tlsAuthKey === undefined ? [] : ['key-direction 1', ...block('tls-auth', tlsAuthKey)]),
    ...(tlsCryptKey === undefined ? [] : block('tls-crypt', tlsCryptKey)),
    ...(tlsCryptV2Key === undefined ? [] : block('tls-crypt-v2', tlsCryptV2Key)),
  ];
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function block(name: string, text: string): string[] {
  return [`<${name}>`, text.trim(), `</${name}>`];
}
