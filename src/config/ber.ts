import forge from 'node-forge';

const { asn1 } = forge;

/** One value of a BER tree. */
export interface BerNode {
  /** The tag number, without class and form. */
  readonly tag: number;
  /** Whether the tag is context-specific (`[0]`). */
  readonly contextual: boolean;
  /** Parts of a constructed value, else none. */
  readonly children: readonly BerNode[];
  /** Content of a primitive value; of a constructed one, that of its parts in a row. */
  readonly content: Buffer;
  /** The value as DER, tag and length with it. */
  readonly der: () => Buffer;
}

/** Universal tags that key files use. */
export const BerTag = {
  INTEGER: 0x02,
  OCTET_STRING: 0x04,
  OID: 0x06,
  SEQUENCE: 0x10,
} as const;

/**
 * Reads one BER value and all below it: key files are often BER, with indefinite lengths and strings
 * in parts. undefined when it is malformed, has bytes behind it, or is nested too deeply.
 */
export function readBer(bytes: Buffer): BerNode | undefined {
  try {
    const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
    // The types lag behind forge 1: it takes options in place of `strict`.
    return nodeOf(asn1.fromDer(bytes.toString('latin1'), options as unknown as boolean));
  } catch {
    return undefined;
  }
}

function nodeOf(value: forge.asn1.Asn1): BerNode {
  const children = Array.isArray(value.value) ? value.value.map(nodeOf) : [];
  return {
    tag: value.type,
    contextual: value.tagClass === asn1.Class.CONTEXT_SPECIFIC,
    children,
    content: Array.isArray(value.value)
      ? Buffer.concat(children.map(({ content }) => content))
      : Buffer.from(value.value, 'latin1'),
    der: () => Buffer.from(asn1.toDer(value).getBytes(), 'latin1'),
  };
}

/** The dotted text of an OID; empty for any other value. */
export function oidOf(node: BerNode | undefined): string {
  if (node?.tag !== BerTag.OID || node.contextual || node.content.length === 0) return '';
  return asn1.derToOid(forge.util.createBuffer(node.content.toString('latin1')));
}

/** A whole number from 0 to `max`; undefined for anything else. */
export function wholeNumberOf(node: BerNode | undefined, max: number): number | undefined {
  if (node?.tag !== BerTag.INTEGER || node.contextual) return undefined;
  const { content } = node;
  if (content.length === 0 || content.length > MAX_INTEGER_BYTES) return undefined;
  const value = content.readIntBE(0, content.length);
  return value >= 0 && value <= max ? value : undefined;
}

const MAX_INTEGER_BYTES = 6;

/** The bytes of an OCTET STRING, in one piece or in parts; undefined for any other value. */
export function octetsOf(node: BerNode | undefined): Buffer | undefined {
  return node?.tag === BerTag.OCTET_STRING && !node.contextual ? node.content : undefined;
}
