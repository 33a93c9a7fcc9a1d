import { describe, expect, test } from 'vitest';
import { statelessWrap } from '../../src/session/control-wraps.ts';
import { type Capture, plainOf, readCaptures } from '../packetmuxer/captures.ts';
import { exportedOf, recordedOptions, recordedWraps } from './recorded-wraps.ts';

describe('recorded sessions', () => {
  // Over TCP OpenVPN's server opens with state, and counts from the early negotiation's id too.
  const COUNTS_OTHERWISE = '06b-tlscryptv2-tcp';

  test.each(readCaptures())(
    '$name: both ends read and write the same bytes in order',
    (capture) => {
      let seconds = 0;
      const wraps = {
        C: recordedWraps(capture, 'client', () => seconds),
        S: recordedWraps(capture, 'server', () => seconds),
      };
      const toStrangers = statelessWrap(strangersOptions(capture), () => seconds);
      let isSettled = false;
      for (const recorded of capture.control) {
        if (recorded.key_id > 0 && !isSettled) {
          isSettled = true;
          const isDynamic = recorded.wrap === 'dynamic tls-crypt';
          wraps.C.settle(isDynamic ? exportedOf(capture) : undefined);
          wraps.S.settle(isDynamic ? exportedOf(capture) : undefined);
        }
        const packet = Buffer.from(recorded.hex, 'hex');
        seconds = netTimeOf(capture, packet, recorded.wrap);
        const sender =
          recorded.op === 'HARD_RESET_SERVER_V2'
            ? toStrangers
            : wraps[recorded.dir].forKey(recorded.key_id);
        const receiver = wraps[recorded.dir === 'C' ? 'S' : 'C'].forKey(recorded.key_id);
        const sealed = sender?.wrap(plainOf(recorded));
        if (recorded.dir === 'C' || capture.name !== COUNTS_OTHERWISE)
          expect(sealed).toEqual(packet);
        expect(receiver?.unwrap(packet)).toEqual(plainOf(recorded));
      }
    },
  );
});

/** Where a recorded packet has its net_time; without a wrap it has none. */
function netTimeOf({ wrap, digest }: Capture, packet: Buffer, own: string | undefined): number {
  if (own === 'dynamic tls-crypt' || wrap.startsWith('tls-crypt')) return packet.readUInt32BE(13);
  if (wrap === 'none') return 0;
  return packet.readUInt32BE(digest === 'SHA1' ? 33 : 45);
}

function strangersOptions(capture: Capture) {
  const options = recordedOptions(capture, 'server');
  return options.kind === 'tls-crypt-v2'
    ? ({ kind: 'tls-crypt', key: options.key } as const)
    : options;
}
