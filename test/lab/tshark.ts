import { run } from './commands.ts';
import { LAB } from './openvpn-config.ts';

/** What may be chosen for a dissection. */
export interface DissectOptions {
  readonly proto?: 'udp' | 'tcp';
  readonly wrap?: 'none' | 'tls-crypt';
  /** A display filter. Default: all of OpenVPN's packets. */
  readonly filter?: string;
}

/** The values of `fields` in each packet, as Wireshark sees it; a field may have several values. */
export function dissect<F extends string>(
  file: string,
  fields: readonly F[],
  { proto = 'udp', wrap = 'none', filter = 'openvpn' }: DissectOptions = {},
): Record<F, string[]>[] {
  const output = run([
    'tshark',
    ...['-r', file, '-n', '-Y', filter, '-d', `${proto}.port==${LAB.port},openvpn`],
    ...(wrap === 'tls-crypt' ? ['-o', 'openvpn.tls_crypt:TRUE'] : []),
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
