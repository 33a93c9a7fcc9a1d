import type { CompressionFraming } from '../model/push-options.ts';

/** What `compress` or `comp-lzo` asks for, in a profile or in a push. */
export interface CompressionChoice {
  readonly framing: CompressionFraming;
  /** Whether the other end may send packets that are compressed. */
  readonly compresses: boolean;
}

/** What becomes of a choice that compresses. */
export const FRAMING_ONLY =
  'only its framing is used: nothing is ever compressed, and compressed packets that come are dropped, or opened with allow-compression asym';

/**
 * What the directive `name` with its first argument means; undefined for an argument that it does
 * not have. Source: options.c, comp.h.
 */
export function compressionChoice(
  name: 'compress' | 'comp-lzo',
  argument: string | undefined,
): CompressionChoice | undefined {
  return name === 'compress'
    ? COMPRESS.get(argument ?? 'stub')
    : COMP_LZO.get(argument ?? 'adaptive');
}

/** `migrate` frames nothing; a server with it asks old clients for a stub. */
const COMPRESS: ReadonlyMap<string, CompressionChoice> = new Map([
  ['stub', { framing: 'stub', compresses: false }],
  ['stub-v2', { framing: 'stub-v2', compresses: false }],
  ['lz4', { framing: 'stub', compresses: true }],
  ['lz4-v2', { framing: 'stub-v2', compresses: true }],
  ['lzo', { framing: 'comp-lzo-no', compresses: true }],
  ['migrate', { framing: 'none', compresses: false }],
]);

const COMP_LZO: ReadonlyMap<string, CompressionChoice> = new Map([
  ['no', { framing: 'comp-lzo-no', compresses: false }],
  ['yes', { framing: 'comp-lzo-no', compresses: true }],
  ['adaptive', { framing: 'comp-lzo-no', compresses: true }],
]);
