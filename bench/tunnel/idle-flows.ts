import { systemClock } from '../../src/core/clock.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import { heapBytes } from '../../test/sim/heap-bytes.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { type PairedTun, tunPair } from '../../test/sim/tun-pair.ts';

const FLOWS = 10_000;
/** Handshakes that are under way at a time: fewer than a listener's queue holds. */
const AT_ONCE = 50;
const PORT = 80;

/** What one end of a connection costs in which nothing happens, with ten thousand open. Unit: bytes. */
export async function idleFlowBytes(): Promise<number> {
  const { left, right } = tunPair();
  const [client, server] = [netstackOn(left, 1), netstackOn(right, 2)];
  const kept: TcpConnection[] = [];
  server.listenTcp({ port: PORT }, (connection) => {
    kept.push(connection);
    return IDLE;
  });
  const remote = IpAddress.ipv4(0x0a08_0002);
  const open = (count: number) => {
    for (let opened = 0; opened < count; opened += AT_ONCE) {
      for (let one = 0; one < AT_ONCE; one += 1) kept.push(client.connectTcp(remote, PORT, IDLE));
      settle(client, server);
    }
  };
  open(AT_ONCE);
  const before = await heapBytes();
  open(FLOWS);
  const after = await heapBytes();
  if (kept.length !== 2 * (FLOWS + AT_ONCE)) throw new Error('not every flow was opened');
  return (after - before) / (2 * FLOWS);
}

/** Carries packets until both are silent. */
function settle(...netstacks: readonly Netstack[]): void {
  for (let moved = true; moved; ) {
    moved = false;
    for (const netstack of netstacks) {
      const now = performance.now();
      if (netstack.moveUpWorker(now)) moved = true;
      netstack.endOfBurst(now);
      if (netstack.moveDownWorker(now)) moved = true;
    }
  }
}

function netstackOn(tun: PairedTun, host: number): Netstack {
  return new Netstack({
    tun,
    ipv4: { address: `10.8.0.${host}`, prefixLength: 24 },
    random: new SeededRandom(host),
    clock: systemClock,
    wake: () => {},
  });
}

const IDLE: TcpEvents = { connected() {}, readable() {}, writable() {}, closed() {} };
