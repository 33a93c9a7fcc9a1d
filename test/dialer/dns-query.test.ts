import { decode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import {
  DnsQuery,
  type DnsSend,
  MAX_CNAME_DEPTH,
  MAX_FORGERIES,
  SERVER_TIMEOUT_MS,
} from '../../src/dialer/dns-query.ts';
import { parseDnsServer, toDnsServer } from '../../src/dialer/dns-server.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import {
  a,
  cname,
  FORMERR,
  NXDOMAIN,
  ns,
  REFUSED,
  response,
  SERVFAIL,
  soa,
  TRUNCATED,
} from './dns-server.ts';

const SERVERS = ['10.8.0.1', '10.8.0.9'].map((text) => {
  const server = parseDnsServer(text);
  if (server === undefined) throw new Error(text);
  return server;
});

function query(name = 'www.example.com'): DnsQuery {
  return new DnsQuery(name, 'A', SERVERS, new SeededRandom(7));
}

function sent(machine: DnsQuery, now = 0): DnsSend {
  const send = machine.takeDown(now);
  if (send === undefined) throw new Error('expected a message to be due');
  return send;
}

type Reply = Parameters<typeof response>[1];

function reply({ message: bytes }: DnsSend, content: Reply): Buffer {
  const decoded = decode(bytes);
  const [question] = decoded.questions ?? [];
  if (question === undefined) throw new Error('expected a question');
  return response({ bytes, query: decoded, question }, content);
}

describe('DnsQuery', () => {
  test('takes the records of its name', () => {
    const machine = query();
    const send = sent(machine);
    expect(send).toMatchObject({ server: SERVERS[0], carrier: 'udp' });
    const answers = [a('www.example.com', '192.0.2.1'), a('www.example.com', '192.0.2.2')];
    expect(machine.fromBelow(reply(send, { answers }))).toBe(Drop.NONE);
    expect(machine.takeUp()).toMatchObject({
      kind: 'answer',
      records: [{ value: '192.0.2.1' }, { value: '192.0.2.2' }],
      server: SERVERS[0],
    });
    expect(machine.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('leaves records of other names alone', () => {
    const machine = query();
    const answers = [a('evil.example.org', '6.6.6.6'), a('www.example.com', '192.0.2.1')];
    machine.fromBelow(reply(sent(machine), { answers }));
    expect(machine.takeUp()).toMatchObject({ records: [{ value: '192.0.2.1' }] });
  });

  test.each([
    { name: 'a wrong id', change: (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0) },
    {
      name: 'a wrong type in the question',
      change: (bytes: Buffer) => bytes.writeUInt8(28, 12 + 18),
    },
    { name: 'two questions', change: (bytes: Buffer) => bytes.writeUInt16BE(2, 4) },
    {
      name: 'a query instead of a response',
      change: (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(2) & 0x7f, 2),
    },
    {
      name: 'another opcode',
      change: (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(2) | 0x08, 2),
    },
    { name: 'more records than there are', change: (bytes: Buffer) => bytes.writeUInt16BE(9, 6) },
  ])('drops $name and waits on', ({ change }) => {
    const machine = query();
    const forged = reply(sent(machine), { answers: [a('www.example.com', '6.6.6.6')] });
    change(forged);
    expect(machine.fromBelow(forged)).not.toBe(Drop.NONE);
    expect(machine.takeUp()).toBeUndefined();
    expect(machine.nextTimeout()).toBe(SERVER_TIMEOUT_MS);
  });

  test('goes over TCP once too many answers are not its own', () => {
    const machine = query();
    const forged = reply(sent(machine), { answers: [a('www.example.com', '6.6.6.6')] });
    forged.writeUInt8(forged.readUInt8(0) ^ 1, 0);
    for (let count = 0; count < MAX_FORGERIES; count += 1) machine.fromBelow(forged);
    expect(sent(machine)).toMatchObject({ server: SERVERS[0], carrier: 'tcp' });
  });

  test('asks a server that folds case over TCP, in lower case', () => {
    const machine = query();
    const first = sent(machine);
    const folded = reply(first, { answers: [a('www.example.com', '6.6.6.6')] });
    folded.write('\u0003www\u0007example\u0003com', 12, 'latin1');
    expect(machine.fromBelow(folded)).toBe(Drop.NONE);
    expect(machine.takeUp()).toBeUndefined();
    const again = sent(machine);
    expect(again).toMatchObject({ server: SERVERS[0], carrier: 'tcp' });
    expect(decode(again.message).questions?.[0]?.name).toBe('www.example.com');
    expect(again.message.readUInt16BE(0)).not.toBe(first.message.readUInt16BE(0));
    machine.fromBelow(reply(again, { answers: [a('www.example.com', '192.0.2.1')] }));
    expect(machine.takeUp()).toMatchObject({ records: [{ value: '192.0.2.1' }] });
  });

  test.each([
    { name: 'sends it elsewhere', content: { authorities: [ns('com', 'ns.test')] } },
    { name: 'refuses', content: { flags: REFUSED } },
    { name: 'has trouble', content: { flags: SERVFAIL } },
  ])('asks the next server when one $name', ({ content }) => {
    const machine = query();
    machine.fromBelow(reply(sent(machine), content));
    const again = sent(machine);
    expect(again).toMatchObject({ server: SERVERS[1], carrier: 'udp' });
    machine.fromBelow(reply(again, { answers: [a('www.example.com', '192.0.2.1')] }));
    expect(machine.takeUp()).toMatchObject({ kind: 'answer', server: SERVERS[1] });
  });

  test('does not take a truncated answer over TCP for none', () => {
    const machine = query();
    machine.fromBelow(reply(sent(machine), { flags: TRUNCATED }));
    machine.fromBelow(reply(sent(machine), { flags: TRUNCATED }));
    expect(machine.takeUp()).toBeUndefined();
    expect(sent(machine)).toMatchObject({ server: SERVERS[1], carrier: 'udp' });
  });

  test.each([
    { transport: 'DoT' as const, carrier: 'tls' },
    { transport: 'DoH' as const, carrier: 'https' },
  ])('asks a server for $transport over $carrier alone', ({ transport, carrier }) => {
    const server = toDnsServer({ address: '10.8.0.1', transport });
    const machine = new DnsQuery('a.test', 'A', server ? [server] : [], new SeededRandom(1));
    const seen: string[] = [];
    while (machine.takeUp() === undefined) {
      const send = sent(machine);
      seen.push(send.carrier);
      for (let count = 0; count < MAX_FORGERIES; count += 1) {
        expect(machine.fromBelow(Buffer.alloc(12))).not.toBe(Drop.NONE);
      }
      machine.fromBelow(reply(send, { flags: TRUNCATED }));
    }
    expect(seen).toEqual([carrier, carrier]);
    expect(machine.takeUp()).toMatchObject({ kind: 'failed', code: 'ESERVFAIL' });
  });

  test('says why a server could not be reached', () => {
    const machine = query();
    const cause = new Error('no certificate');
    while (machine.takeUp() === undefined) {
      sent(machine);
      machine.onUnreachable(cause);
    }
    expect(machine.takeUp()).toEqual({ kind: 'failed', code: 'ECONNREFUSED', cause });
  });

  test('asks again over TCP when the answer is truncated', () => {
    const machine = query();
    machine.fromBelow(reply(sent(machine), { flags: TRUNCATED }));
    const again = sent(machine);
    expect(again).toMatchObject({ server: SERVERS[0], carrier: 'tcp' });
    machine.fromBelow(reply(again, { answers: [a('www.example.com', '192.0.2.1')] }));
    expect(machine.takeUp()).toMatchObject({ kind: 'answer' });
  });

  test('asks again without EDNS when the server does not know it', () => {
    const machine = query();
    const first = sent(machine);
    expect(decode(first.message).additionals).toHaveLength(1);
    machine.fromBelow(reply(first, { flags: FORMERR }));
    const again = sent(machine);
    expect(again.server).toBe(SERVERS[0]);
    expect(decode(again.message).additionals).toHaveLength(0);
  });

  test('goes through the servers twice, two seconds each, in plain case the second time', () => {
    const machine = query();
    const seen: string[] = [];
    for (let now = 0; machine.takeUp() === undefined; now += SERVER_TIMEOUT_MS) {
      const { server, message } = sent(machine, now);
      const name = decode(message).questions?.[0]?.name ?? '';
      seen.push(`${server.address} ${name === name.toLowerCase() ? 'plain' : 'mixed'}`);
      machine.onTimeout(now + SERVER_TIMEOUT_MS - 1);
      machine.onTimeout(now + SERVER_TIMEOUT_MS);
    }
    expect(seen).toEqual(['10.8.0.1 mixed', '10.8.0.9 mixed', '10.8.0.1 plain', '10.8.0.9 plain']);
    expect(machine.takeUp()).toMatchObject({ kind: 'failed', code: 'ETIMEOUT' });
  });

  test.each([
    { flags: SERVFAIL, code: 'ESERVFAIL' },
    { flags: REFUSED, code: 'EREFUSED' },
  ])('says $code when that is all that the servers say', ({ flags, code }) => {
    const machine = query();
    while (machine.takeUp() === undefined) machine.fromBelow(reply(sent(machine), { flags }));
    expect(machine.takeUp()).toMatchObject({ kind: 'failed', code });
  });

  test('asks the next server when one cannot be reached', () => {
    const machine = query();
    sent(machine);
    machine.onUnreachable();
    expect(sent(machine).server).toBe(SERVERS[1]);
  });

  test('draws a fresh id for every question', () => {
    const ids = new Set<number>();
    const random = new SeededRandom(1);
    for (let count = 0; count < 1000; count += 1) {
      ids.add(sent(new DnsQuery('a.test', 'A', SERVERS, random)).message.readUInt16BE(0));
    }
    expect(ids.size).toBeGreaterThan(980);
  });

  describe('aliases', () => {
    test('are followed inside one answer', () => {
      const machine = query();
      const answers = [
        cname('www.example.com', 'Edge.example.net'),
        cname('edge.example.net', 'host.example.org'),
        a('host.example.org', '192.0.2.7'),
      ];
      machine.fromBelow(reply(sent(machine), { answers }));
      expect(machine.takeUp()).toMatchObject({
        kind: 'answer',
        records: [{ type: 'CNAME' }, { type: 'CNAME' }, { value: '192.0.2.7' }],
      });
    });

    test('are asked for when their target is missing', () => {
      const machine = query();
      machine.fromBelow(reply(sent(machine), { answers: [cname('www.example.com', 'h.test')] }));
      const again = sent(machine);
      expect(decode(again.message).questions?.[0]?.name.toLowerCase()).toBe('h.test');
      machine.fromBelow(reply(again, { answers: [a('h.test', '192.0.2.7')] }));
      expect(machine.takeUp()).toMatchObject({
        kind: 'answer',
        records: [{}, { value: '192.0.2.7' }],
      });
    });

    test.each([
      {
        name: 'a loop',
        answers: [cname('www.example.com', 'b.test'), cname('b.test', 'www.example.com')],
      },
      {
        name: 'a long chain',
        answers: Array.from({ length: MAX_CNAME_DEPTH + 1 }, (_, index) =>
          cname(index === 0 ? 'www.example.com' : `n${index}.test`, `n${index + 1}.test`),
        ),
      },
    ])('end in $name with ESERVFAIL', ({ answers }) => {
      const machine = query();
      machine.fromBelow(reply(sent(machine), { answers }));
      expect(machine.takeUp()).toMatchObject({ kind: 'failed', code: 'ESERVFAIL' });
    });
  });

  test.each([
    {
      name: 'NXDOMAIN',
      flags: NXDOMAIN,
      authorities: [soa('example.com', 30)],
      code: 'ENOTFOUND',
      ttl: 30,
    },
    {
      name: 'no records',
      flags: 0,
      authorities: [soa('example.com', 40)],
      code: 'ENODATA',
      ttl: 40,
    },
    { name: 'nothing at all', flags: 0, authorities: [], code: 'ENODATA', ttl: undefined },
  ])('$name is $code', ({ flags, authorities, code, ttl }) => {
    const machine = query();
    machine.fromBelow(reply(sent(machine), { flags, authorities }));
    expect(machine.takeUp()).toMatchObject({ kind: 'negative', code, ttl });
  });
});
