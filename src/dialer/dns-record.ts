import type { Answer } from 'dns-packet';
import ipaddr from 'ipaddr.js';
import { printable } from '../core/log.ts';

/** The values of each record type, in the shapes of `node:dns`. */
export interface DnsValues {
  A: string;
  AAAA: string;
  CNAME: string;
  NS: string;
  PTR: string;
  /** The strings of one record; join them. */
  TXT: string[];
  MX: { priority: number; exchange: string };
  SRV: { priority: number; weight: number; port: number; name: string };
  SOA: {
    nsname: string;
    hostmaster: string;
    serial: number;
    refresh: number;
    retry: number;
    expire: number;
    minttl: number;
  };
  /** `critical` is 128 where an authority that does not know the property must not issue. */
  CAA: { critical: number } & { [Property in CaaProperty]?: string };
}

/** Properties of CAA records that `node:dns` knows (RFC 8659 §4). */
export type CaaProperty = 'issue' | 'issuewild' | 'iodef' | 'contactemail' | 'contactphone';

const CAA_PROPERTIES: readonly CaaProperty[] = [
  'issue',
  'issuewild',
  'iodef',
  'contactemail',
  'contactphone',
];

/** Record types that can be asked for. */
export type DnsType = keyof DnsValues;

export const DNS_TYPES: readonly DnsType[] = [
  'A',
  'AAAA',
  'CNAME',
  'NS',
  'PTR',
  'TXT',
  'MX',
  'SRV',
  'SOA',
  'CAA',
];

/** One record of an answer. */
export interface DnsRecord<T extends DnsType = DnsType> {
  /** Lower case, without a dot at the end. */
  readonly name: string;
  readonly type: T;
  /** How long it may be kept. Unit: seconds. */
  readonly ttl: number;
  readonly value: DnsValues[T];
  /** The value as a zone file has it; printable. */
  readonly text: string;
}

/** A decoded record as ours; undefined for types that are not asked for and names no host has. */
export function toDnsRecord(answer: Answer): DnsRecord | undefined {
  if (answer.type === 'OPT' || answer.class !== 'IN' || !isHostText(answer.name)) return undefined;
  const common = { name: answer.name.toLowerCase(), ttl: answer.ttl ?? 0 };
  switch (answer.type) {
    case 'A':
    case 'AAAA': {
      const { type, data } = answer;
      const value = addressText(data);
      return value === undefined ? undefined : { ...common, type, value, text: value };
    }
    case 'CNAME':
    case 'NS':
    case 'PTR': {
      const { type, data } = answer;
      return isHostText(data) ? { ...common, type, value: data, text: data } : undefined;
    }
    case 'TXT': {
      const value = [answer.data].flat().map(String);
      const text = value.map((part) => `"${printable(part)}"`).join(' ');
      return { ...common, type: 'TXT', value, text };
    }
    case 'MX': {
      const { preference: priority = 0, exchange } = answer.data;
      if (!isHostText(exchange)) return undefined;
      const text = `${priority} ${exchange}`;
      return { ...common, type: 'MX', value: { priority, exchange }, text };
    }
    case 'SRV': {
      const { priority = 0, weight = 0, port, target: name } = answer.data;
      if (!isHostText(name)) return undefined;
      const text = `${priority} ${weight} ${port} ${name}`;
      return { ...common, type: 'SRV', value: { priority, weight, port, name }, text };
    }
    case 'SOA': {
      const { mname: nsname, rname: hostmaster, minimum: minttl = 0, ...times } = answer.data;
      const { serial = 0, refresh = 0, retry = 0, expire = 0 } = times;
      if (!isHostText(nsname) || !isHostText(hostmaster)) return undefined;
      const value = { nsname, hostmaster, serial, refresh, retry, expire, minttl };
      return { ...common, type: 'SOA', value, text: Object.values(value).join(' ') };
    }
    case 'CAA': {
      const { tag, value: content, issuerCritical } = answer.data;
      const property = CAA_PROPERTIES.find((known) => known === String(tag).toLowerCase());
      if (property === undefined) return undefined;
      const critical = issuerCritical === true ? CAA_CRITICAL : 0;
      const value = { critical, [property]: content };
      const text = `${critical} ${property} "${printable(content)}"`;
      return { ...common, type: 'CAA', value, text };
    }
    default:
      return undefined;
  }
}

const CAA_CRITICAL = 128;

/** An address in its canonical form (RFC 5952): dns-packet shortens the wrong run of zeros. */
function addressText(data: string): string | undefined {
  return ipaddr.isValid(data) ? ipaddr.parse(data).toString() : undefined;
}

/** A name that reaches a terminal or a log must not be able to move its cursor. */
function isHostText(name: string): boolean {
  return /^[\x21-\x7e]+$/.test(name);
}
