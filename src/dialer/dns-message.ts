import { type Answer, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { u8, u16 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { isCheapToDecode } from './dns-guard.ts';
import { type DnsRecord, type DnsType, toDnsRecord } from './dns-record.ts';

/** Largest UDP answer that is asked for: fits an IPv6 packet of 1280 bytes (RFC 6891 §6.2.5). */
export const EDNS_PAYLOAD_BYTES = 1232;

export interface DnsQuestion {
  /** In the case in which it is sent. */
  readonly name: string;
  readonly type: DnsType;
}

export const DnsStatus = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;

/** An answer that belongs to our question. */
export interface DnsResponse {
  /** Response code, 0 … 15. */
  readonly status: number;
  readonly truncated: boolean;
  /** The question came back in other case: by a server that folds it, or by a forger. */
  readonly folded: boolean;
  /** Neither an answer nor that there is none: the server sends us elsewhere (lame delegation). */
  readonly referral: boolean;
  readonly records: readonly DnsRecord[];
  /** How long "there is none" may be kept (RFC 2308 §5); undefined without a SOA. Unit: seconds. */
  readonly negativeTtl: number | undefined;
}

const HEADER_BYTES = 12;
const RESPONSE_BIT = 0x80;
const OPCODE_BITS = 0x78;
const TRUNCATED_BIT = 0x02;
const STATUS_BITS = 0x0f;
/** A name of 255 bytes, type and class. */
const MAX_QUESTION_BYTES = 259;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/** A query for one question; `edns` announces {@link EDNS_PAYLOAD_BYTES}. */
export function encodeQuery(
  id: number,
  question: DnsQuestion,
  { edns }: { edns: boolean },
): Buffer {
  const opt = {
    type: 'OPT' as const,
    name: '.',
    udpPayloadSize: EDNS_PAYLOAD_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    additionals: edns ? [opt] : [],
  });
}

/**
 * Reads an answer to `query`. It must have the query's id and exactly its question, byte for byte
 * (RFC 5452 §9.1); nothing else is looked at before.
 */
export function decodeResponse(message: Buffer, query: Buffer): DnsResponse | Drop {
  if (message.length < HEADER_BYTES) return Drop.MALFORMED;
  if ((u8(message, 2) & (RESPONSE_BIT | OPCODE_BITS)) !== RESPONSE_BIT) return Drop.UNEXPECTED;
  if (u16(message, 0) !== u16(query, 0)) return Drop.WRONG_SESSION;
  const status = u8(message, 3) & STATUS_BITS;
  const truncated = (u8(message, 2) & TRUNCATED_BIT) !== 0;
  if (message.length === HEADER_BYTES && status === DnsStatus.FORMERR) return { ...EMPTY, status };
  if (!echoesQuestion(message, query)) {
    const folded = echoesQuestion(lowerCaseQuestion(message), lowerCaseQuestion(query));
    return folded ? { ...EMPTY, status, folded } : Drop.WRONG_SESSION;
  }
  if (truncated) return { ...EMPTY, status, truncated };
  if (!isCheapToDecode(message)) return Drop.MALFORMED;
  try {
    const { answers = [], authorities = [] } = decode(message);
    const records = answers.map(toDnsRecord).filter((record) => record !== undefined);
    const referral =
      status === DnsStatus.NOERROR &&
      answers.length === 0 &&
      authorities.some(({ type }) => type === 'NS') &&
      !authorities.some(({ type }) => type === 'SOA');
    return { ...EMPTY, status, referral, records, negativeTtl: negativeTtl(authorities) };
  } catch {
    return Drop.MALFORMED;
  }
}

/** A response of which only the header counts. */
const EMPTY: DnsResponse = {
  status: DnsStatus.NOERROR,
  truncated: false,
  folded: false,
  referral: false,
  records: [],
  negativeTtl: undefined,
};

function echoesQuestion(message: Buffer, query: Buffer): boolean {
  const end = questionEnd(query);
  return (
    u16(message, 4) === 1 &&
    message.subarray(HEADER_BYTES, end).equals(query.subarray(HEADER_BYTES, end))
  );
}

/** A copy of the header and as much as a question can have, its letters in lower case. */
function lowerCaseQuestion(message: Buffer): Buffer {
  const copy = Buffer.from(message.subarray(0, HEADER_BYTES + MAX_QUESTION_BYTES));
  for (let at = HEADER_BYTES; at < copy.length; at += 1) {
    const byte = u8(copy, at);
    if (byte >= UPPER_A && byte <= UPPER_Z) copy[at] = byte | 0x20;
  }
  return copy;
}

/** Where the one question of our own query ends. */
function questionEnd(query: Buffer): number {
  let at = HEADER_BYTES;
  for (let length = u8(query, at); length !== 0; length = u8(query, at)) at += 1 + length;
  return at + 5;
}

function negativeTtl(authorities: readonly Answer[]): number | undefined {
  for (const record of authorities) {
    if (record.type === 'SOA') return Math.min(record.ttl ?? 0, record.data.minimum ?? 0);
  }
  return undefined;
}
