import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Background } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { PageServer } from '../lab/page-server.ts';

const PAGE_BYTES = 20_000_000;

/** `matrix.test.ts` has all the others, by the library. */
// biome-ignore format: a table, one row a line
const KINDS = [
  { proto: 'udp', wrap: 'tls-crypt', cipher: 'AES-256-GCM',       outer: 4, login: 'certificate' },
  { proto: 'udp', wrap: 'tls-crypt', cipher: 'CHACHA20-POLY1305', outer: 6, login: 'user' },
  { proto: 'tcp', wrap: 'none',      cipher: 'AES-256-GCM',       outer: 6, login: 'user' },
] as const;

describeInLab("20 MB through Debian's openvpn by `fetch`, without root", (lab) => {
  describe.each(KINDS)('$proto over IPv$outer, $wrap, $cipher, $login', (kind) => {
    let web: PageServer;
    let server: Background;
    beforeAll(async () => {
      web = await lab.startWeb();
      server = await lab.startServer(kind);
    });
    afterAll(() => lab.quiet());

    test.each([4, 6] as const)('IPv%i inside: what was sent arrives', async (family) => {
      const path = `/bytes/${PAGE_BYTES}?seed=${family}`;
      const file = lab.ownFile('page');
      const login = kind.login === 'user' ? ['--auth-user-pass', lab.loginFile()] : [];
      const args = ['fetch', ...login, '-o', file, lab.profile(kind), web.url(path, family)];

      const { status, stderr } = await lab.tundial(args);

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(
        await web.sha256(path),
      );
      expect(server.count(`Cipher '${kind.cipher}' initialized`)).toBeGreaterThan(0);
    });
  });
});
