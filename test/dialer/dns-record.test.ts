import type { Answer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { toDnsRecord } from '../../src/dialer/dns-record.ts';

const answer = (type: string, data: unknown, name = 'Host.test'): Answer =>
  ({ type, class: 'IN', name, ttl: 60, data }) as Answer;

describe('toDnsRecord', () => {
  test.each([
    { name: 'A', record: answer('A', '10.8.0.1'), text: '10.8.0.1' },
    { name: 'AAAA', record: answer('AAAA', 'fd00::1'), text: 'fd00::1' },
    {
      name: 'AAAA with the wrong run of zeros shortened',
      record: answer('AAAA', 'fd99::1:0:0:0:1'),
      text: 'fd99:0:0:1::1',
    },
    { name: 'CNAME', record: answer('CNAME', 'other.test'), text: 'other.test' },
    { name: 'TXT', record: answer('TXT', [Buffer.from('a\x1b[2J')]), text: '"a\\x1b[2J"' },
    { name: 'MX', record: answer('MX', { preference: 10, exchange: 'm.test' }), text: '10 m.test' },
    {
      name: 'SRV',
      record: answer('SRV', { priority: 1, weight: 2, port: 3, target: 's.test' }),
      text: '1 2 3 s.test',
    },
    {
      name: 'SOA',
      record: answer('SOA', {
        mname: 'ns.test',
        rname: 'root.test',
        serial: 1,
        refresh: 2,
        retry: 3,
        expire: 4,
        minimum: 5,
      }),
      text: 'ns.test root.test 1 2 3 4 5',
    },
    {
      name: 'CAA',
      record: answer('CAA', { tag: 'Issue', value: 'ca.test\x1b', issuerCritical: true }),
      text: '128 issue "ca.test\\x1b"',
    },
  ])('$name', ({ record, text }) => {
    expect(toDnsRecord(record)).toMatchObject({ name: 'host.test', ttl: 60, text });
  });

  test.each([
    { name: 'a name that moves the cursor', record: answer('A', '10.8.0.1', 'a\x1b[2J.test') },
    { name: 'an address that is none', record: answer('AAAA', 'fd00::zz') },
    { name: 'a target that moves the cursor', record: answer('CNAME', 'x\x07.test') },
    { name: 'an unknown property', record: answer('CAA', { tag: '__proto__', value: 'x' }) },
    { name: 'a zone of no name', record: answer('SOA', { mname: 'a b', rname: 'r.test' }) },
    { name: 'a type nobody asks for', record: answer('NULL', Buffer.alloc(1)) },
  ])('refuses $name', ({ record }) => {
    expect(toDnsRecord(record)).toBeUndefined();
  });
});
