import { describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import type { ControlMessage } from '../../src/tlsstate/control-message.ts';
import {
  clientSessionOptions,
  SERVER_TEXTS_PER_SECOND,
} from '../../src/vpnclient/client-session.ts';
import { resolveClientOptions } from '../../src/vpnclient/options.ts';
import { profileWith } from '../config/sample-profile.ts';
import { SimLink } from '../sim/sim-link.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** What a client shows of the texts that its server sends. */
function shownBy(clock: VirtualClock): {
  shown: string[];
  send: (message: ControlMessage) => void;
} {
  const shown: string[] = [];
  const profile = readProfile(profileWith());
  const addresses = {
    localAddress: '',
    localPort: 0,
    remoteAddress: '192.0.2.1',
    remotePort: 1194,
  };
  const { events } = clientSessionOptions(new SimLink(addresses, () => {}), {
    profile,
    options: resolveClientOptions({
      profile,
      clock,
      logger: (_level, _layer, text) => shown.push(text),
    }),
    signal: new AbortController().signal,
    stage: () => {},
    emit: (name, ...[payload]) => shown.push(`${name} ${JSON.stringify(payload)}`),
  });
  return { shown, send: (message) => events.message?.(message) };
}

describe('texts of the server', () => {
  test('are shown, at most so many a second', () => {
    const clock = new VirtualClock();
    const { shown, send } = shownBy(clock);
    for (let count = 0; count < 1_000; count += 1) send({ kind: 'info', text: `text ${count}` });
    expect(shown).toHaveLength(SERVER_TEXTS_PER_SECOND);
    clock.advance(1_000);
    for (let count = 0; count < 1_000; count += 1) send({ kind: 'info-pre', text: 'WEB_AUTH::x' });
    expect(shown).toHaveLength(2 * SERVER_TEXTS_PER_SECOND);
  });

  test('cannot move the cursor of a terminal', () => {
    const { shown, send } = shownBy(new VirtualClock());
    send({ kind: 'info', text: 'gone \x1b[2J' });
    send({ kind: 'info-pre', text: 'OPEN_URL:\x1b]8;;' });
    expect(shown.join()).not.toContain('\x1b');
    expect(shown).toHaveLength(2);
  });
});
