import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { OvpnError } from '../../src/core/errors.ts';
import { SERVER_TEXTS_PER_SECOND } from '../../src/vpnclient/server-texts.ts';
import type { HostileMode } from './mode.ts';
import { flood, within } from './pace.ts';
import { expectAlive, expectEnded } from './scene.ts';

const CONTINUED = 'PUSH_REPLY,push-continuation 2';
const FLOOD_MS = 1_000;
const REST_MS = 200;

/** All control bytes but NUL, which ends a text. */
const CONTROL_BYTES = [...Array.from({ length: 31 }, (_, index) => index + 1), 0x7f];

/** Each of them would end the session or change it, were it not for the byte in it. */
const SPOILT_TEXTS = CONTROL_BYTES.flatMap((code) => {
  const byte = String.fromCharCode(code);
  return [
    `PUSH_REPLY,route 1.2.3.4${byte}x`,
    `AUTH_FAILED,no${byte}way`,
    `RESTART${byte}x`,
    `${byte}EXIT`,
    `INFO,hello${byte}[31m`,
    `INFO_PRE,WEB_AUTH:${byte}:x`,
  ];
});

const ESCAPES = [
  '\x1b[2J',
  '\x1b]0;title\x07',
  '\x1b[6n',
  '\x1bP+q544e\x1b\\',
  '\x1b]8;;http://x\x07',
];
const LONG_TEXT = `INFO,${'\x1b[2J'.repeat(512)}`;
/** Bytes that may stand in a text and still must not reach a terminal: C1, direction, a wide one. */
const UTF8_TEXTS = [
  'INFO,\u009b2J',
  'INFO_PRE,\u009d0;x\u009c',
  'INFO,\u202eevil',
  'INFO,\u{1f4a3}',
];

/** Above 64 KiB by one byte, by a TLS record, and by far. */
const SAID_BEFORE_NUL = ['A'.repeat(65_537), 'A'.repeat(82_000), `INFO,${'A'.repeat(1_000_000)}`];

function cycle<T>(items: readonly T[], count: number): T {
  const item = items[count % items.length];
  if (item === undefined) throw new Error('an empty list');
  return item;
}

export const CONTROL_MODES: readonly HostileMode[] = [
  {
    rule: 'S01',
    name: 'texts with each control byte',
    run: async (scene) => {
      const meeting = await scene.up();
      const times = SPOILT_TEXTS.length * 3;
      const said = await flood({ ms: 20_000, times }, (count) =>
        meeting.peer.say(cycle(SPOILT_TEXTS, count)),
      );
      expect(said).toBe(times);
      await expectAlive(meeting);
    },
  },
  {
    rule: 'S01',
    name: 'bad texts of 2 KB at full rate',
    less: '1.5 s of 60 s',
    run: async (scene) => {
      const meeting = await scene.up({ wrap: 'tls-crypt' });
      await flood({ ms: 1_500 }, () => meeting.peer.say(LONG_TEXT));
      await expectAlive(meeting);
    },
  },
  {
    rule: 'S01',
    name: 'ANSI: escapes, and UTF-8 that a terminal may act on',
    run: async (scene) => {
      const meeting = await scene.up();
      const texts = [...ESCAPES.map((text) => `INFO,${text}`), ...UTF8_TEXTS];
      await flood({ ms: FLOOD_MS, perSecond: 500 }, (count) =>
        meeting.peer.say(cycle(texts, count)),
      );
      await expectAlive(meeting);
      for (const end of ['RESTART,[N]\u009b2J', 'HALT,\u009b2J', 'AUTH_FAILED,\u009b2J\u202e']) {
        const other = await scene.up();
        other.peer.say(end);
        const error = await expectEnded(other, [
          'OVPN_PEER_RESTART',
          'OVPN_PEER_HALT',
          'OVPN_AUTH_FAILED',
        ]);
        expect(error.message).toMatch(/^[\x20-\x7e]+$/);
      }
    },
  },
  {
    rule: 'S02',
    name: 'push-continuation 2 for ever',
    run: async (scene) => {
      for (const options of [',route 10.1.2.0 255.255.255.0', '', ',', `,${'x'.repeat(900)}`]) {
        const meeting = await scene.meet({ push: () => [] });
        const text = `PUSH_REPLY${options},push-continuation 2`;
        void flood({ ms: 3_000, until: () => meeting.peer.over }, () => meeting.peer.say(text));
        await expectEnded(meeting, ['OVPN_PUSH_INVALID'], 3_000);
      }
      const late = await scene.up();
      void flood({ ms: 3_000, until: () => late.peer.over }, () => late.peer.say(CONTINUED));
      await expectEnded(late, ['OVPN_PUSH_INVALID'], 3_000);
    },
  },
  {
    rule: 'S02',
    name: '100,000 routes',
    run: async (scene) => {
      const routes = Array.from({ length: 30 }, (_, index) => `route 10.${index}.0.0 255.255.0.0`);
      const meeting = await scene.meet({ push: () => [] });
      const part = `PUSH_REPLY,${routes.join(',')},push-continuation 2`;
      void flood({ ms: 3_000, times: 3_334, until: () => meeting.peer.over }, () =>
        meeting.peer.say(part),
      );
      await expectEnded(meeting, ['OVPN_PUSH_INVALID'], 3_000);
      const whole = `PUSH_REPLY${',route 10.1.0.0 255.255.0.0'.repeat(100_000)}`;
      const other = await scene.meet({ push: () => [whole] });
      await expectEnded(other, ['OVPN_PROTOCOL']);
    },
  },
  {
    rule: 'S01',
    name: '64 KiB and more without a NUL',
    run: async (scene) => {
      for (const text of SAID_BEFORE_NUL) {
        const meeting = await scene.up();
        meeting.peer.say(text);
        await expectEnded(meeting, ['OVPN_PROTOCOL']);
      }
    },
  },
  {
    rule: 'S08',
    name: 'EXIT, RESTART and HALT again and again',
    run: async (scene) => {
      for (const [text, code] of [
        ['EXIT', 'OVPN_PEER_EXIT'],
        ['RESTART,[P]', 'OVPN_PEER_RESTART'],
        ['HALT,go', 'OVPN_PEER_HALT'],
      ] as const) {
        const meeting = await scene.up();
        await flood({ ms: REST_MS }, () => meeting.peer.say(text));
        await expectEnded(meeting, [code]);
      }
    },
  },
  {
    rule: 'R15',
    name: 'AUTH_PENDING for ever',
    run: async (scene) => {
      const meeting = await scene.meet({
        lines: ['hand-window 1', 'reneg-sec 2'],
        push: () => ['AUTH_PENDING,timeout 86400'],
      });
      const startedAt = performance.now();
      void flood({ ms: 5_000, perSecond: 100, until: () => meeting.peer.over }, () =>
        meeting.peer.say('AUTH_PENDING,timeout 86400'),
      );
      await expectEnded(meeting, ['OVPN_PUSH_TIMEOUT'], 5_000);
      expect(performance.now() - startedAt).toBeLessThan(3_500);
    },
  },
  {
    rule: 'R08',
    name: 'RESTART at each of 50 connects',
    run: async (scene) => {
      for (let count = 0; count < 50; count += 1) {
        const meeting = await scene.up({ protocol: count % 5 === 0 ? 'tcp' : 'udp' });
        meeting.peer.say('RESTART,[N]again');
        await expectEnded(meeting, ['OVPN_PEER_RESTART']);
        await scene.close();
      }
    },
  },
  {
    rule: 'R24',
    name: 'RESTART as soon as the client is back',
    run: async (scene) => {
      const meeting = await scene.up({ client: { reconnect: true } });
      const reasons = new Set<string>();
      let ups = 0;
      meeting.client.on('up', () => {
        ups += 1;
      });
      meeting.client.on('reconnecting', ({ error }) => {
        reasons.add(error instanceof OvpnError ? error.code : `${error}`);
      });
      let isOver = false;
      const following = (async () => {
        for (let { peer } = meeting; !isOver; ) {
          const next = meeting.server.nextPeer();
          const pace = { ms: FLOOD_MS, perSecond: 100, until: () => isOver || peer.over };
          await flood(pace, () => peer.say('RESTART'));
          const followed = await within(next, 2_000);
          if (followed === 'too late') return;
          peer = followed;
        }
      })();
      await sleep(3_500);
      expect(ups).toBeGreaterThanOrEqual(1);
      expect(ups).toBeLessThanOrEqual(4);
      expect([...reasons]).toEqual(['OVPN_PEER_RESTART']);
      isOver = true;
      await meeting.client.close();
      await following;
      expect(meeting.downs).toEqual([{ error: undefined }]);
    },
  },
  {
    rule: 'R24',
    name: 'INFO and INFO_PRE without end',
    run: async (scene) => {
      const meeting = await scene.up();
      const challenges: string[] = [];
      meeting.client.on('challenge', ({ kind }) => challenges.push(kind));
      const texts = [
        'INFO,hello',
        'INFO_PRE,WEB_AUTH::https://x',
        'AUTH_PENDING,timeout 1',
        'CR_RESPONSE,x',
        'UNKNOWN',
      ];
      await flood({ ms: FLOOD_MS }, (count) => meeting.peer.say(cycle(texts, count)));
      await expectAlive(meeting);
      expect(challenges.length).toBeLessThan(SERVER_TEXTS_PER_SECOND * 5);
    },
  },
];
