import type { Wrap } from './openvpn-config.ts';

/** What may differ between two tunnels of one page each. */
export interface Cell {
  readonly name: string;
  readonly proto: 'udp' | 'tcp';
  readonly wrap: Wrap;
  readonly cipher: string;
  /** The digest of the CBC cipher, and of tls-auth. */
  readonly auth: string;
  /** `key-direction` of the server's tls-auth. */
  readonly direction: 0 | 1 | undefined;
  readonly tls: '1.2' | '1.3';
  readonly inner: 4 | 6;
  readonly outer: 4 | 6;
  /** Who starts the renegotiation. */
  readonly rekeyBy: 'client' | 'server';
}

/** Cells that one server process can serve. */
export interface CellGroup extends Pick<Cell, 'proto' | 'wrap' | 'auth' | 'direction' | 'rekeyBy'> {
  readonly cells: readonly Cell[];
}

export const PROTOS = ['udp', 'tcp'] as const;
export const WRAPS: readonly Wrap[] = ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'];

/** A digest beside an AEAD cipher is that of tls-auth alone. */
// biome-ignore format: a table, one row a line
export const SUITES = [
  { cipher: 'AES-128-GCM',       auth: 'SHA512' },
  { cipher: 'AES-192-GCM',       auth: 'SHA256' },
  { cipher: 'AES-256-GCM',       auth: 'SHA1' },
  { cipher: 'CHACHA20-POLY1305', auth: 'SHA512' },
  { cipher: 'AES-128-CBC',       auth: 'SHA1' },
  { cipher: 'AES-128-CBC',       auth: 'SHA256' },
  { cipher: 'AES-256-CBC',       auth: 'SHA1' },
  { cipher: 'AES-256-CBC',       auth: 'SHA256' },
] as const;

/** All that a server may be asked for. */
export const ALL_CIPHERS: string = [...new Set(SUITES.map(({ cipher }) => cipher))].join(':');

const DIGESTS = ['SHA1', 'SHA256', 'SHA512'];
const DIRECTIONS = [undefined, 0, 1] as const;

/**
 * Every transport x wrap x suite twice: the second time with the other value of each of the four
 * two-valued dimensions (TLS, IP inside, IP outside, who renegotiates), whose first values are the
 * bits of a number that differs from suite to suite. So every two values meet, and most threes.
 */
export const CELLS: readonly Cell[] = PROTOS.flatMap((proto, protoIndex) =>
  WRAPS.flatMap((wrap, wrapIndex) =>
    SUITES.flatMap((suite, suiteIndex) => {
      const bits = (suiteIndex + 3 * wrapIndex + 5 * protoIndex) % 8;
      const turn = protoIndex + DIGESTS.indexOf(suite.auth);
      const direction = wrap === 'tls-auth' ? DIRECTIONS[turn % 3] : undefined;
      const triple = { proto, wrap, ...suite, direction };
      return [cell(triple, bits), cell(triple, bits ^ 0b1111)];
    }),
  ),
);

function cell(
  triple: Omit<CellGroup, 'cells' | 'rekeyBy'> & { readonly cipher: string },
  bits: number,
): Cell {
  const tls = bits & 1 ? '1.2' : '1.3';
  const inner = bits & 2 ? 6 : 4;
  const outer = bits & 4 ? 6 : 4;
  const rekeyBy = bits & 8 ? 'server' : 'client';
  const name = `${triple.cipher}, TLS ${tls}, IPv${inner} in IPv${outer}, keys anew by the ${rekeyBy}`;
  return { name, ...triple, tls, inner, outer, rekeyBy };
}

/** The cells by the server that they need. */
export function groupsOf(cells: readonly Cell[]): CellGroup[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const key = [cell.proto, cell.wrap, cell.auth, cell.rekeyBy].join();
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    return first === undefined ? [] : [{ ...kindOf(first), cells: members }];
  });
}

function kindOf({ proto, wrap, auth, direction, rekeyBy }: Cell): Omit<CellGroup, 'cells'> {
  return { proto, wrap, auth, direction, rekeyBy };
}
