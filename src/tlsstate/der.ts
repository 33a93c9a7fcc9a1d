import forge from 'node-forge';

const { asn1 } = forge;

/** One node of a DER tree. */
export interface DerNode {
  /** The tag number, without class and form. */
  readonly tag: number;
  /** Whether the tag is context-specific (`[0]`, `[3]`). */
  readonly contextual: boolean;
  /** Children of a constructed node, else none. */
  readonly children: readonly DerNode[];
  /** Content of a primitive node, else empty. */
  readonly content: Buffer;
}

/** Universal tags that certificates use. */
export const DerTag = {
  BOOLEAN: 0x01,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  UTF8_STRING: 0x0c,
  SEQUENCE: 0x10,
  SET: 0x11,
  NUMERIC_STRING: 0x12,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
} as const;

/**
 * Reads one DER value and all below it; undefined when it is malformed, has bytes behind it, or
 * could have been written in another way, so that no two readers can differ about it.
 */
export function readDer(bytes: Buffer): DerNode | undefined {
  const text = bytes.toString('latin1');
  try {
    const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
    // The types lag behind forge 1: it takes options in place of `strict`.
    const value = asn1.fromDer(text, options as unknown as boolean);
    return asn1.toDer(value).getBytes() === text ? nodeOf(value) : undefined;
  } catch {
    return undefined;
  }
}

/** The dotted text of an OID's content. */
export function oidText(content: Buffer): string {
  return asn1.derToOid(forge.util.createBuffer(content.toString('latin1')));
}

function nodeOf(value: forge.asn1.Asn1): DerNode {
  const constructed = Array.isArray(value.value);
  return {
    tag: value.type,
    contextual: value.tagClass === asn1.Class.CONTEXT_SPECIFIC,
    children: constructed ? (value.value as forge.asn1.Asn1[]).map(nodeOf) : [],
    content: constructed ? Buffer.alloc(0) : Buffer.from(value.value as string, 'latin1'),
  };
}
