import { createSocket } from 'node:dgram';
import { expect, test } from 'vitest';
import { linkOverTransport } from '../../src/networkio/transport.ts';
import { duplexPair } from './duplex-pair.ts';

const addresses = { localAddress: 'a', localPort: 1, remoteAddress: 'b', remotePort: 2 };

test('a Duplex becomes a stream link, a datagram socket a datagram link', async () => {
  const [near] = duplexPair();
  const stream = linkOverTransport(near, addresses);
  const datagrams = linkOverTransport(createSocket('udp4'), addresses);
  expect(stream).toMatchObject({ protocol: 'tcp', ...addresses });
  expect(datagrams).toMatchObject({ protocol: 'udp', ...addresses });
  near.destroy();
  await Promise.all([stream.close(), datagrams.close()]);
  expect(near.destroyed).toBe(true);
});
