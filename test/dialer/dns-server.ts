import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
} from 'dns-packet';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';

/** What a scripted server knows of a query. */
export interface DnsAsked {
  readonly transport: 'udp' | 'tcp';
  readonly query: DecodedPacket;
  readonly question: Question;
  readonly bytes: Buffer;
  /** Where the query came from. */
  readonly port: number;
  /** How many queries came before. */
  readonly earlier: number;
}

/** Messages to send back, in order; none keeps silent. */
export type DnsScript = (asked: DnsAsked) => readonly Buffer[];

/** Where a server listens, and how long it takes to answer over UDP. Unit: milliseconds. */
export interface DnsManner {
  readonly port?: number;
  readonly delayMs?: (asked: DnsAsked) => number;
}

/** A DNS server that follows a script, on UDP and TCP, behind one end of a tunnel. */
export function dnsServer(
  dialer: TunDialer,
  script: DnsScript,
  { port = 53, delayMs = () => 0 }: DnsManner = {},
): { asked: DnsAsked[] } {
  const { clock } = dialer.client;
  const asked: DnsAsked[] = [];
  const answer = (bytes: Buffer, transport: 'udp' | 'tcp', from: number) => {
    const query = decode(bytes);
    const [question] = query.questions ?? [];
    if (question === undefined) return [];
    const entry = { transport, query, question, bytes, port: from, earlier: asked.length };
    asked.push(entry);
    return script(entry);
  };
  const udp = dialer.createSocket('udp4', (bytes, from) => {
    const replies = answer(bytes, 'udp', from.port);
    const last = asked.at(-1);
    const send = () => {
      for (const reply of replies) udp.send(reply, from.port, from.address);
    };
    const delay = last === undefined ? 0 : delayMs(last);
    if (delay === 0) send();
    else clock.setTimer(clock.now() + delay, send);
  });
  udp.bind(port);
  dialer.listen({ port }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk: Buffer) => {
      for (const reply of answer(chunk.subarray(2), 'tcp', socket.remotePort ?? 0)) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(length);
        socket.write(reply);
      }
    });
  });
  return { asked };
}

/** A response with the id and the question of the query, byte for byte. */
export function response(
  { bytes, query, question }: Pick<DnsAsked, 'bytes' | 'query' | 'question'>,
  { answers = [], authorities = [], flags = 0 }: Pick<Packet, 'answers' | 'authorities' | 'flags'>,
): Buffer {
  const reply = encode({
    type: 'response',
    id: query.id ?? 0,
    flags,
    questions: [question],
    answers: answers ?? [],
    authorities: authorities ?? [],
  });
  bytes.copy(reply, 12, 12, 12 + question.name.length + 2);
  return reply;
}

export function a(name: string, data: string, ttl = 60): Answer {
  return { type: 'A', name, ttl, class: 'IN', data };
}

export function aaaa(name: string, data: string, ttl = 60): Answer {
  return { type: 'AAAA', name, ttl, class: 'IN', data };
}

export function cname(name: string, data: string, ttl = 60): Answer {
  return { type: 'CNAME', name, ttl, class: 'IN', data };
}

export function ns(name: string, data: string): Answer {
  return { type: 'NS', name, ttl: 60, class: 'IN', data };
}

export function soa(name: string, minimum: number): Answer {
  const data = {
    mname: 'ns.test',
    rname: 'root.test',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum,
  };
  return { type: 'SOA', name, ttl: 3600, class: 'IN', data };
}

export const NXDOMAIN = 3;
export const SERVFAIL = 2;
export const FORMERR = 1;
export const REFUSED = 5;
export const TRUNCATED = 0x0200;
