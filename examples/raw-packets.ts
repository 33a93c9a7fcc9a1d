// Reads IP packets as they come out of the tunnel:  node raw-packets.js client.ovpn
import { VpnClient } from '../src/index.ts';

const client = new VpnClient({ profile: process.argv[2] ?? 'client.ovpn' });
client.on('up', ({ ipv4, mtu }) => console.log(`up: ${ipv4?.address}, MTU ${mtu}`));
client.on('down', ({ error }) => console.log(`down: ${error?.message ?? 'closed'}`));
await client.start();
client.on('data', (packet: Buffer) =>
  console.log(`${packet.length} bytes`, packet.toString('hex')),
);
