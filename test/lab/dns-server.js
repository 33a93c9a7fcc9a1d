// A DNS server on UDP and TCP that knows two hosts, and that nothing else exists.
//   node dns-server.js ADDRESS [PORT]
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { decode, encode, streamDecode, streamEncode, TRUNCATED_RESPONSE } from 'dns-packet';

const HOSTS = {
  'host.lab.test': {
    A: [{ type: 'A', data: '10.99.0.1' }],
    AAAA: [{ type: 'AAAA', data: 'fd99:0:0:1::1' }],
    TXT: [{ type: 'TXT', data: ['one', 'two'] }],
    MX: [{ type: 'MX', data: { preference: 10, exchange: 'mail.lab.test' } }],
    CAA: [{ type: 'CAA', data: { tag: 'issue', value: 'ca.lab.test' } }],
  },
  'big.lab.test': {
    TXT: Array.from({ length: 40 }, (_, index) => ({
      type: 'TXT',
      data: `${index} ${'x'.repeat(200)}`,
    })),
  },
};
const LARGEST_DATAGRAM = 1232;
const AUTHORITATIVE = 0x0400;
const NXDOMAIN = 3;

const [address, port = '53'] = process.argv.slice(2);

/** The answer to a query; over UDP cut to nothing where it is too large. */
function answer(query, isDatagram) {
  const { id, questions } = query;
  const [question] = questions;
  const host = HOSTS[question.name.toLowerCase()];
  const message = {
    type: 'response',
    id,
    flags: AUTHORITATIVE | (host === undefined ? NXDOMAIN : 0),
    questions,
    answers: (host?.[question.type] ?? []).map((record) => ({
      name: question.name,
      ttl: 60,
      ...record,
    })),
  };
  if (!isDatagram || encode(message).length <= LARGEST_DATAGRAM) return message;
  return { ...message, flags: message.flags | TRUNCATED_RESPONSE, answers: [] };
}

const socket = createSocket('udp4');
socket.on('message', (message, from) => {
  socket.send(encode(answer(decode(message), true)), from.port, from.address);
});
const server = createServer((connection) => {
  connection.on('error', () => {});
  connection.once('data', (query) => {
    connection.write(streamEncode(answer(streamDecode(query), false)));
  });
});
socket.bind(Number(port), address, () =>
  server.listen(Number(port), address, () => console.log('listening')),
);
