// A UDP socket that takes everything and never answers.
//   node silent-server.js ADDRESS PORT
import { createSocket } from 'node:dgram';

const [address, port] = process.argv.slice(2);
createSocket('udp4').bind(Number(port), address, () => console.log('listening'));
