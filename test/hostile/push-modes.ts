import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { DIRECTIVES } from '../../src/config/directives.ts';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';
import type { PushScript } from './hostile-peer.ts';
import type { HostileMode } from './mode.ts';
import { flood } from './pace.ts';
import { expectAlive, expectEnded, TOKEN } from './scene.ts';

const DAY_MS = 86_400_000;
const MAX_PEER_ID = 0xff_fffe;

const NUMBERS = [
  '-1',
  '0',
  '1',
  '2147484',
  '4294967296',
  '1000000000',
  '0x10',
  '1e3',
  'NaN',
  '٣',
  '+5',
  '1.5',
  '99999999999',
  ' ',
];

const TIMERS = [
  'ping',
  'ping-restart',
  'ping-exit',
  'inactive',
  'session-timeout',
  'route-delay',
  'hand-window',
  'tran-window',
  'reneg-sec',
  'tls-timeout',
  'ping-timer-rem',
  'connect-retry',
  'keepalive',
];
const SIZES = [
  'tun-mtu',
  'mssfix',
  'link-mtu',
  'fragment',
  'explicit-exit-notify',
  'sndbuf',
  'rcvbuf',
  'replay-window',
  'max-routes',
  'reneg-bytes',
  'reneg-pkts',
];

/** Options by which a server shapes the tunnel; each has tests of its own. */
const ALLOWED = new Set([
  'auth-token',
  'auth-token-user',
  'block-ipv4',
  'block-ipv6',
  'cipher',
  'client-nat',
  'comp-lzo',
  'compress',
  'dhcp-option',
  'dns',
  'echo',
  'explicit-exit-notify',
  'ifconfig',
  'ifconfig-ipv6',
  'inactive',
  'keepalive',
  'key-derivation',
  'parameter',
  'peer-id',
  'ping',
  'ping-exit',
  'ping-restart',
  'protocol-flags',
  'push-continuation',
  'redirect-gateway',
  'redirect-private',
  'route',
  'route-gateway',
  'route-ipv6',
  'session-timeout',
  'topology',
  'tun-mtu',
]);

/** Those without which a tunnel cannot work: a wrong value may end the session. */
const FATAL = [
  'cipher',
  'comp-lzo',
  'compress',
  'ifconfig',
  'ifconfig-ipv6',
  'key-derivation',
  'peer-id',
  'protocol-flags dyn-tls-crypt',
  'topology',
];

const WORDS = ['$(id)', '::', '../../etc/passwd', '%n%n'];
const VALUES = [
  '$(id)',
  "'",
  '',
  '`id`',
  ';id',
  '../../etc/passwd',
  '::',
  'a'.repeat(240),
  '\u009b2J',
  '%n%n',
  '__proto__ constructor',
];

/** The honest push, and `options` after it, in as many parts as that takes. */
function honestAnd(options: readonly string[]): PushScript {
  return (honest) => [
    `${honest.join()},push-continuation 2`,
    ...chunks(options, 8).map((some) => ['PUSH_REPLY', ...some, 'push-continuation 2'].join()),
    'PUSH_REPLY,push-continuation 1',
  ];
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => index * size);
  return starts.map((start) => items.slice(start, start + size));
}

/** What of the process a push might touch. */
function processState(): unknown {
  return {
    env: { ...process.env },
    cwd: process.cwd(),
    title: process.title,
    umask: process.umask(),
    uid: process.getuid?.(),
    argv: process.argv,
    execArgv: process.execArgv,
    signals: process.eventNames(),
  };
}

export const PUSH_MODES: readonly HostileMode[] = [
  {
    rule: 'S09',
    name: 'timers and sizes out of every bound',
    run: async (scene) => {
      for (const number of NUMBERS) {
        const options = [...TIMERS, ...SIZES].map((name) => `${name} ${number}`);
        const meeting = await scene.up({ push: honestAnd(options) });
        const { client, timers } = meeting;
        const { fired } = timers;
        await sleep(100);
        await expectAlive(meeting);
        expect(timers.fired - fired).toBeLessThanOrEqual(8);
        for (const push of meeting.pushes) {
          const { pingMs, pingRestartMs, pingExitMs, inactiveMs, sessionTimeoutMs } = push;
          for (const ms of [pingMs, pingRestartMs, pingExitMs, inactiveMs, sessionTimeoutMs]) {
            expect(ms === undefined || ms === 0 || (ms >= 1_000 && ms <= DAY_MS)).toBe(true);
          }
        }
        expect(client.info.mtu).toBeGreaterThanOrEqual(576);
        expect(client.info.mtu).toBeLessThanOrEqual(9_000);
        await client.close();
      }
    },
  },
  {
    rule: 'S09',
    name: 'peer ids out of every bound',
    run: async (scene) => {
      for (const number of NUMBERS) {
        const meeting = await scene.meet({
          push: (honest) => [`${honest.join()},peer-id ${number}`],
        });
        const error = await meeting.started;
        if (error === undefined) {
          const { peerId = 0 } = meeting.client.info;
          expect(peerId).toBe(Number(number));
          expect(peerId).toBeGreaterThanOrEqual(0);
          expect(peerId).toBeLessThanOrEqual(MAX_PEER_ID);
        } else await expectEnded(meeting, ['OVPN_PUSH_INVALID']);
      }
    },
  },
  {
    rule: 'S10',
    name: 'every directive that there is',
    run: async (scene) => {
      const canaries = mkdtempSync(join(tmpdir(), 'hostile-'));
      const names = [...DIRECTIVES.keys()].filter((name) => !ALLOWED.has(name));
      expect(names.length).toBeGreaterThan(250);
      const before = processState();
      const honest = await scene.up();
      const options = names.flatMap((name) => [
        `${name} ${canaries}/${name}`,
        `${name} PATH /bin/sh`,
        `${name}`,
      ]);
      for (const some of chunks(options, 450)) {
        const meeting = await scene.up({ push: honestAnd(some) });
        expect(meeting.client.info).toEqual({
          ...honest.client.info,
          remotePort: meeting.client.info.remotePort,
        });
        await expectAlive(meeting);
        expect(meeting.pushes).toHaveLength(1);
        expect(meeting.pushes[0]?.ignored.map(({ option }) => option)).toEqual(some);
        await meeting.client.close();
      }
      expect(processState()).toEqual(before);
      expect(readdirSync(canaries)).toEqual([]);
      rmdirSync(canaries);
    },
  },
  {
    rule: 'S10',
    name: 'what is allowed, with values that are not',
    run: async (scene) => {
      const gentle = [...ALLOWED].filter((name) => !FATAL.some((text) => text.startsWith(name)));
      for (const value of VALUES) {
        const meeting = await scene.up({
          push: honestAnd(gentle.map((name) => `${name} ${value}`)),
        });
        await expectAlive(meeting);
        await scene.close();
      }
      for (const [index, name] of FATAL.entries()) {
        const option = `${name} ${WORDS[index % WORDS.length]}`;
        const meeting = await scene.meet({ push: (honest) => [`${honest.join()},${option}`] });
        const error = await meeting.started;
        if (error === undefined) await expectAlive(meeting);
        else await expectEnded(meeting, ['OVPN_PUSH_INVALID', 'OVPN_NO_SHARED_CIPHER']);
        await scene.close();
      }
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  },
  {
    rule: 'S12',
    name: 'PUSH_UPDATE that was not announced, and a second PUSH_REPLY',
    run: async (scene) => {
      const ivProto = CLIENT_IV_PROTO & ~IvProto.PUSH_UPDATE;
      const meeting = await scene.up({ client: { ivProto } });
      const { info } = meeting.client;
      const change =
        'topology subnet,ifconfig 10.8.0.99 255.255.255.0,tun-mtu 600,ping-restart 1,-dns,cipher none';
      await flood({ ms: 500, perSecond: 1_000 }, (count) =>
        meeting.peer.say(`${count % 2 === 0 ? 'PUSH_UPDATE' : 'PUSH_REPLY'},${change}`),
      );
      await expectAlive(meeting);
      expect(meeting.client.info).toEqual(info);
      expect(meeting.pushes).toHaveLength(1);
    },
  },
  {
    rule: 'S12',
    name: 'a flood of PUSH_UPDATEs, each of them right',
    run: async (scene) => {
      const meeting = await scene.up();
      await flood({ ms: 500, perSecond: 1_000 }, (count) =>
        meeting.peer.say(
          `PUSH_UPDATE,tun-mtu ${1280 + (count % 100)},route 10.${count % 256}.0.0 255.255.0.0,-dns`,
        ),
      );
      await expectAlive(meeting);
      expect(meeting.client.info.routes).toHaveLength(1);
      expect(meeting.pushes).toHaveLength(1);
    },
  },
  {
    rule: 'S10',
    name: 'a token that is told to nobody',
    run: async (scene) => {
      const tokens = [`auth-token ${TOKEN}`, `auth-token "${TOKEN}`, ` AUTH-TOKEN ${TOKEN}`];
      const meeting = await scene.up({
        push: (honest) => [`${honest.join()},${tokens.join()}`, `PUSH_REPLY,${tokens.join()}`],
      });
      expect(inspect(meeting.pushes, { depth: 8, showHidden: true })).not.toContain(TOKEN);
      await expectAlive(meeting);
      meeting.peer.say(`AUTH_FAILED,SESSION: token expired`);
      await expectEnded(meeting, ['OVPN_AUTH_FAILED']);
    },
  },
];
