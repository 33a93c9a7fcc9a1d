import { describe, expect, test } from 'vitest';
import { isData, opcodeOf } from '../../src/model/opcode.ts';
import type { Session } from '../../src/session/session.ts';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';
import { ipv4Packet } from '../datachannel/fixtures.ts';
import { Pair } from '../sim/pair.ts';
import { SIM_WRAPS } from '../sim/sim-identity.ts';

/** Longer than a step of the handshake takes, so that packets are written between any two. */
const DELAY_MS = 20;
const LIMIT_MS = 60_000;

/** Without the bit by which a client is sent its push before it asks: a time with keys exchanged. */
const UNASKED = CLIENT_IV_PROTO & ~IvProto.REQUEST_PUSH;

const ROWS = SIM_WRAPS.map((wrap) => ({ wrap }));

function hasPush(session: Session): boolean {
  try {
    return session.info.mtu > 0;
  } catch {
    return false;
  }
}

describe('an inner packet that is written before the push is accepted', () => {
  test.each(ROWS)('does not leave before it is, under $wrap', async ({ wrap }) => {
    let early = 0;
    let late = 0;
    const pair: Pair = await Pair.open({
      wrap,
      ivProto: UNASKED,
      toServer: { delayMs: DELAY_MS },
      toClient: { delayMs: DELAY_MS },
      clientTracer: {
        datagramOut: (packet) => {
          if (!isData(opcodeOf(packet[0] ?? 0))) return;
          if (hasPush(pair.client)) late += 1;
          else early += 1;
        },
      },
    });
    let written = 0;
    const write = () => {
      if (!hasPush(pair.client) && pair.client.tun.write(ipv4Packet(100, 1))) written += 1;
    };
    const states = new Set<string>();
    while (!pair.isUp) {
      write();
      pair.client.arm();
      states.add(pair.client.negotiation);
      const stepped = await pair.until(() => pair.isUp, 1);
      if (!stepped) await pair.advance(1);
      expect(pair.clock.now()).toBeLessThan(LIMIT_MS);
    }
    await pair.advance(1000);
    expect([...states]).toEqual(expect.arrayContaining(['S_PRE_START', 'S_SENT_KEY', 'S_GOT_KEY']));
    expect(written).toBeGreaterThan(50);
    expect({ early, late }).toEqual({ early: 0, late: written });
    await pair.stop();
  });
});
