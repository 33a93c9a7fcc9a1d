import { createHash } from 'node:crypto';
import { run } from './commands.ts';
import { LAB } from './openvpn-config.ts';

/** What may be chosen for a dissection. */
export interface DissectOptions {
  readonly proto?: 'udp' | 'tcp';
  readonly wrap?: 'none' | 'tls-auth' | 'tls-crypt';
  /** The digest of tls-auth; SHA1, the default, Wireshark finds out by itself. */
  readonly auth?: string;
  /** A display filter. Default: all of OpenVPN's packets. */
  readonly filter?: string;
}

/** The values of `fields` in each packet, as Wireshark sees it; a field may have several values. */
export function dissect<F extends string>(
  file: string,
  fields: readonly F[],
  { filter = 'openvpn', ...kind }: DissectOptions = {},
): Record<F, string[]>[] {
  const output = run([
    'tshark',
    ...['-r', file, '-n', '-Y', filter, '-d', `${kind.proto ?? 'udp'}.port==${LAB.port},openvpn`],
    ...preferences(kind).flatMap((preference) => ['-o', `openvpn.${preference}`]),
    ...['-T', 'fields', '-E', 'separator=/t', '-E', 'aggregator=|'],
    ...fields.flatMap((field) => ['-e', field]),
  ]);
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => {
    const values = line.split('\t');
    const valuesOf = (index: number) =>
      values[index]?.split('|').filter((text) => text !== '') ?? [];
    return Object.fromEntries(fields.map((field, index) => [field, valuesOf(index)])) as Record<
      F,
      string[]
    >;
  });
}

/** What Wireshark must be told of the control wrap. */
function preferences({ wrap, auth = 'SHA1' }: DissectOptions): string[] {
  if (wrap === 'tls-crypt') return ['tls_crypt:TRUE'];
  if (wrap !== 'tls-auth' || auth === 'SHA1') return [];
  const hmac = `tls_auth_hmac_size:${createHash(auth).digest().length}`;
  return ['tls_auth_detection_override:TRUE', 'tls_auth:TRUE', hmac];
}
