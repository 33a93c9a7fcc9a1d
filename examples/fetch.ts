// Fetches a page through the tunnel of a profile:  node fetch.js client.ovpn https://example.com/
import { startNewTunDialer } from '../src/index.ts';

const [profile = 'client.ovpn', url = 'https://example.com/'] = process.argv.slice(2);

await using dialer = await startNewTunDialer({ profile });
const response = await dialer.fetch(url);
console.log(response.status, await response.text());
