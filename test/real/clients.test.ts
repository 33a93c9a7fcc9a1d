import { createHash, randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { DAEMON_PORTS, startNginx, startRedis, startSshd } from '../lab/daemons.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import { LAB } from '../lab/openvpn-config.ts';
import { type RealClient, startRealClients } from '../lab/real-clients.ts';

const PAGE = randomBytes(7_500_000).toString('base64');
const PAGE_SHA256 = createHash('sha256').update(PAGE).digest('hex');
const SERVER_NAME = 'lab-server';
const WEB_SOCKET_PORT = 8082;

const SEEN: readonly { client: RealClient; seen: Record<string, unknown> }[] = [
  { client: 'http', seen: { hashes: [PAGE_SHA256], sockets: 2 } },
  { client: 'https', seen: { hashes: [PAGE_SHA256], sockets: 2 } },
  { client: 'http2', seen: { hashes: [PAGE_SHA256] } },
  { client: 'undici', seen: { hashes: [PAGE_SHA256] } },
  { client: 'undiciH2', seen: { hashes: [PAGE_SHA256] } },
  { client: 'ws', seen: { isSame: true, code: 1005 } },
  {
    client: 'ioredis',
    seen: {
      done: 10_000,
      values: ['value 0', 'value 9999', null],
      isSame: true,
      message: ['news', 'hello'],
    },
  },
  { client: 'ssh2', seen: { isSame: true, isSameBySftp: true } },
];

describeInLab(
  'clients of npm against real servers, through one tunnel, without root',
  (lab) => {
    describe.each([{ proto: 'udp' }, { proto: 'tcp' }] as const)('over $proto', (kind) => {
      let seenBy: (client: RealClient) => Promise<Record<string, unknown>>;
      beforeAll(async () => {
        await lab.quiet();
        await lab.startServer(kind);
        const page = lab.write('page.txt', PAGE);
        await startNginx(lab, lab.server);
        await startRedis(lab);
        const { keyFile } = await startSshd(lab);
        const port = String(WEB_SOCKET_PORT);
        const webSockets = lab.script('server', 'test/lab/websocket-server.js', [port]);
        await webSockets.until('listening');
        seenBy = startRealClients(lab, {
          profile: lab.profile(kind),
          host: LAB.tunnelServer,
          ports: DAEMON_PORTS,
          webSocketPort: WEB_SOCKET_PORT,
          path: '/page.txt',
          caPem: lab.authority.certPem,
          serverName: SERVER_NAME,
          sshKeyFile: keyFile,
          folder: dirname(page),
        });
      });

      test.each(SEEN)('$client', async ({ client, seen }) => {
        expect(await seenBy(client)).toEqual(seen);
      });
    });
  },
  ['nginx', 'redis-server', '/usr/sbin/sshd'],
);
