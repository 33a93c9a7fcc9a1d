// Prints every packet of a handshake as JSON lines:  node handshake-trace.js client.ovpn
import { HandshakeTrace, OvpnError, VpnClient } from '../src/index.ts';

const tracer = new HandshakeTrace({ onEvent: (event) => console.log(JSON.stringify(event)) });
const client = new VpnClient({ profile: process.argv[2] ?? 'client.ovpn', tracer });
try {
  await client.start({ signal: AbortSignal.timeout(30_000) });
} catch (error) {
  console.error(error instanceof OvpnError ? `${error.code}: ${error.message}` : error);
} finally {
  await client.close();
}
