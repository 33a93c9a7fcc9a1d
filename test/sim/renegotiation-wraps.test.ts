import { describe, expect, test } from 'vitest';
import type {
  ControlWrapOptions,
  ServerWrapOptions,
} from '../../src/model/control-wrap-options.ts';
import { keyIdOf, Opcode, opcodeOf } from '../../src/model/opcode.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import { isDataPacket } from '../../src/packetmuxer/route.ts';
import { ControlWraps } from '../../src/session/control-wraps.ts';
import { badLine, STARTERS } from './bad-line.ts';
import { BusyPair } from './busy-pair.ts';
import { SIM_WRAPS, simIdentity } from './sim-identity.ts';

/** Key ids 1 … 7, and once more from 1 on. */
const KEY_IDS = [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7];

const PACKET_EVERY_MS = 50;

/** Control packets of a client, as they went over the line. */
class SentPackets implements Tracer {
  readonly packets: Buffer[] = [];

  datagramOut(packet: Buffer): void {
    if (!isDataPacket(packet)) this.packets.push(Buffer.from(packet));
  }

  withKeyId(least: number, most: number): Buffer[] {
    return this.packets.filter((packet) => {
      const keyId = keyIdOf(packet.readUInt8());
      return keyId >= least && keyId <= most;
    });
  }
}

/** What somebody with the long-lived key of the server's side can open of `packets`. */
function opened(packets: readonly Buffer[], wrap: ServerWrapOptions): Buffer[] {
  if (wrap.kind === 'tls-crypt-v2') throw new Error('expected the key of the client itself');
  const wraps = new ControlWraps({ wrap, role: 'server', unixSeconds: () => 0 });
  return packets.flatMap((packet) => {
    const plain = wraps.forKey(0)?.unwrap(packet);
    return Buffer.isBuffer(plain) ? plain : [];
  });
}

/** The same key as tls-crypt has it: what a WKc of tls-crypt-v2 brings is wrapped alike. */
function asShared(client: ControlWrapOptions, server: ServerWrapOptions): ServerWrapOptions {
  return client.kind === 'tls-crypt-v2' ? { kind: 'tls-crypt', key: client.key } : server;
}

describe.each(SIM_WRAPS)('renegotiations under %s', (wrap) => {
  const cases = [0, 10].flatMap((loss) =>
    Object.entries(STARTERS).flatMap(([starter, start]) =>
      [true, false].map((dynTlsCrypt) => ({
        name: `${starter} at ${loss} % loss, ${dynTlsCrypt ? 'a wrap of their own' : 'the same wrap'}`,
        loss,
        start,
        dynTlsCrypt,
      })),
    ),
  );

  test.each(cases)('by $name', async ({ loss, start, dynTlsCrypt }) => {
    const options = { ...badLine(loss), wrap, server: { dynTlsCrypt } };
    const busy = await BusyPair.connected(options, PACKET_EVERY_MS);
    const { pair, up, down } = busy;
    for (let count = 1; count <= KEY_IDS.length; count += 1) {
      start(pair);
      await busy.renegotiated(count);
    }
    expect(pair.clientEnding).toBeNull();
    await busy.end();
    expect(pair.clientKeyIds).toEqual(KEY_IDS);
    expect(pair.server.keyIds).toEqual(KEY_IDS);
    expect([...up.faults, ...down.faults]).toEqual([]);
    expect(pair.clientEnding).toBeUndefined();
    expect(pair.server.endings).toEqual([undefined]);
  });

  test.each([
    { name: 'a wrap that the long-lived key does not open', dynTlsCrypt: true },
    { name: 'the wrap of key id 0, where no other was granted', dynTlsCrypt: false },
  ])('have $name', async ({ dynTlsCrypt }) => {
    const sent = new SentPackets();
    const busy = await BusyPair.connected(
      { wrap, server: { dynTlsCrypt }, clientTracer: sent },
      PACKET_EVERY_MS,
    );
    busy.pair.client.renegotiate();
    await busy.renegotiated(1);
    await busy.end();
    const { profile, server } = await simIdentity(wrap);
    const later = sent.withKeyId(1, 7);
    const known = opened(later, asShared(profile.wrap, server.wrap));
    const resets = later.filter((packet) => opcodeOf(packet.readUInt8()) === SOFT_RESET);
    expect(later.length).toBeGreaterThan(3);
    if (wrap === 'none') expect(resets[0]).toHaveLength(dynTlsCrypt ? 54 : 14);
    else expect(known).toHaveLength(dynTlsCrypt ? 0 : later.length);
  });
});

const SOFT_RESET = Opcode.P_CONTROL_SOFT_RESET_V1;
