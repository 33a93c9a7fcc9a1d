// A DNS server that knows one host, and that nothing else exists.
//   node dns-server.js ADDRESS
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';

const RECORDS = {
  A: [{ type: 'A', data: '10.99.0.1' }],
  AAAA: [{ type: 'AAAA', data: 'fd99:0:0:1::1' }],
  TXT: [{ type: 'TXT', data: ['one', 'two'] }],
  MX: [{ type: 'MX', data: { preference: 10, exchange: 'mail.lab.test' } }],
};
const HOST = 'host.lab.test';
const AUTHORITATIVE = 0x0400;
const NXDOMAIN = 3;

const [address] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.on('message', (message, from) => {
  const { id, questions } = decode(message);
  const [question] = questions;
  const isKnown = question.name.toLowerCase() === HOST;
  const found = isKnown ? (RECORDS[question.type] ?? []) : [];
  const answer = encode({
    type: 'response',
    id,
    flags: AUTHORITATIVE | (isKnown ? 0 : NXDOMAIN),
    questions,
    answers: found.map((record) => ({ name: question.name, ttl: 60, ...record })),
  });
  socket.send(answer, from.port, from.address);
});
socket.bind(53, address, () => console.log('listening'));
