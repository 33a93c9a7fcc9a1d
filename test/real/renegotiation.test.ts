import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { describeInLab } from '../lab/describe-in-lab.ts';

/** A page that takes so many seconds. */
const pageOf = (seconds: number) => `/bytes/${seconds * 1_000_000}?mbit=8`;
const RENEGOTIATIONS = 10;

/** What the server logs when it starts one, and when one of either side's is done. */
const STARTED = 'TLS: soft reset';
const DONE = 'Control Channel: TLSv1.3';

describeInLab('a transfer across renegotiations', (lab) => {
  afterEach(() => lab.quiet());

  describe.each([{ wrap: 'none' }, { wrap: 'tls-crypt' }] as const)('$wrap', (kind) => {
    test.each([
      { by: 'server', serverSec: 2, clientSec: 0, seconds: 26 },
      { by: 'client', serverSec: 0, clientSec: 1, seconds: 14 },
    ])('ten that the $by starts: every byte arrives', async (row) => {
      const { by, serverSec, clientSec, seconds } = row;
      const page = pageOf(seconds);
      const web = await lab.startWeb();
      const server = await lab.startServer(kind, { lines: [`reneg-sec ${serverSec}`] });
      const profile = lab.profile(kind, { lines: [`reneg-sec ${clientSec}`] });
      const file = lab.ownFile('page');

      const { status, stderr } = await lab.tundial(['fetch', '-o', file, profile, web.url(page)]);

      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(
        await web.sha256(page),
      );
      expect(server.count(DONE) - 1).toBeGreaterThanOrEqual(RENEGOTIATIONS);
      if (by === 'server') expect(server.count(STARTED)).toBeGreaterThanOrEqual(RENEGOTIATIONS);
      else expect(server.count(STARTED)).toBe(0);
    });
  });
});
