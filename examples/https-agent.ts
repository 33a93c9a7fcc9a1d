// Gives a tunnel to a library that takes an `https.Agent`:  node https-agent.js client.ovpn
import { get } from 'node:https';
import { startNewTunDialer } from '../src/index.ts';

const dialer = await startNewTunDialer({ profile: process.argv[2] ?? 'client.ovpn' });
get('https://example.com/', { agent: dialer.agent({ tls: true }) }, (response) => {
  response.pipe(process.stdout);
  response.on('end', () => void dialer.close());
});
