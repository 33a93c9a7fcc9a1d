import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { TunnelEnd } from '../../src/dialer/tunnel-end.ts';
import type { TunnelInfo } from '../../src/model/tunnel-info.ts';
import type { Session } from '../../src/session/session.ts';
import type { Pair } from './pair.ts';
import { SeededRandom } from './seeded-random.ts';

/** A dialer at each end of a pair that is connected. */
export interface TunnelEnds {
  readonly client: TunDialer;
  readonly server: TunDialer;
}

/** Puts a TCP/IP stack on both sessions. */
export function tunnelEnds(pair: Pair): TunnelEnds {
  const { session } = pair.server;
  if (session === undefined) throw new Error('expected a server with a tunnel');
  const { ipv4, ipv6 } = pair.server.pool.server;
  return {
    client: TunDialer.over(tunnelEnd(pair, pair.client, pair.client.info)),
    server: TunDialer.over(tunnelEnd(pair, session, { ...session.info, ipv4, ipv6 })),
  };
}

function tunnelEnd({ clock }: Pair, session: Session, info: TunnelInfo): TunnelEnd {
  return {
    tun: session.tun,
    clock,
    random: new SeededRandom(info.remotePort),
    info,
    attach(service) {
      session.tun.onReadable = () => session.arm();
      session.tun.onWritable = () => session.arm();
      session.attach(service);
    },
    arm: () => session.arm(),
    ended: session.done,
    close: () => session.close(),
  };
}
