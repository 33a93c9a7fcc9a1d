import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Background } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { PageServer } from '../lab/page-server.ts';

const PAGE_BYTES = 1_000_000;

/** Payload of a ping that OpenVPN does not try to compress (comp.h COMPRESS_THRESHOLD), and of one it does. */
const SMALL_PING = 32;
const LARGE_PING = 1_000;

/** An object without a property, where `{}` would match any. */
const NOTHING: unknown = expect.toSatisfy((found: object) => Object.keys(found).length === 0);

/** What either end says, and what the server then pushes of it. */
interface Row {
  readonly name: string;
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly pushed: readonly string[];
}

/** Nothing is compressed. */
// biome-ignore format: a table, one row a line
const STUBS: readonly Row[] = [
  { name: 'comp-lzo no at both ends',      server: ['comp-lzo no'],                                   client: ['comp-lzo no'],      pushed: [] },
  { name: 'comp-lzo no, pushed',           server: ['comp-lzo no', 'push "comp-lzo no"'],             client: [],                   pushed: ['comp-lzo no'] },
  { name: 'compress at both ends',         server: ['compress'],                                      client: ['compress'],         pushed: [] },
  { name: 'compress, pushed',              server: ['compress', 'push compress'],                     client: [],                   pushed: ['compress'] },
  { name: 'compress stub at both ends',    server: ['compress stub'],                                 client: ['compress stub'],    pushed: [] },
  { name: 'compress stub, pushed',         server: ['compress stub', 'push "compress stub"'],         client: [],                   pushed: ['compress stub'] },
  { name: 'compress stub-v2 at both ends', server: ['compress stub-v2'],                              client: ['compress stub-v2'], pushed: [] },
  { name: 'compress stub-v2, pushed',      server: ['compress stub-v2', 'push "compress stub-v2"'],   client: [],                   pushed: ['compress stub-v2'] },
  { name: 'compress migrate',              server: ['compress migrate'],                              client: ['comp-lzo no'],      pushed: ['compress stub-v2'] },
];

/** The server compresses what it can: what is not compressed arrives. */
// biome-ignore format: a table, one row a line
const COMPRESSORS: readonly Row[] = [
  { name: 'comp-lzo yes, pushed',    server: ['comp-lzo yes', 'push "comp-lzo yes"'],       client: [], pushed: ['comp-lzo yes'] },
  { name: 'compress lz4, pushed',    server: ['compress lz4', 'push "compress lz4"'],       client: [], pushed: ['compress lz4'] },
  { name: 'compress lz4-v2, pushed', server: ['compress lz4-v2', 'push "compress lz4-v2"'], client: [], pushed: ['compress lz4-v2'] },
];

describeInLab('compression framing of the server', (lab) => {
  let web: PageServer;
  beforeEach(async () => {
    web = await lab.startWeb();
  });
  afterEach(() => lab.quiet());

  test.each(STUBS)('$name: a page arrives', async (row) => {
    const path = `/bytes/${PAGE_BYTES}`;
    const server = await lab.startServer({}, { lines: row.server });

    const outcome = await tunnel(row, { url: web.url(path), pings: [SMALL_PING, LARGE_PING] });

    expect(outcome.error).toBeUndefined();
    expect(outcome).toMatchObject({ sha256: await web.sha256(path), pings: [true, true] });
    expect(outcome.drops).toMatchObject({ datachannel: NOTHING });
    await expect.poll(() => pushedBy(server)).toEqual(row.pushed);
  });

  test.each(COMPRESSORS)('$name: what is not compressed arrives', async (row) => {
    const server = await lab.startServer({}, { lines: ['allow-compression yes', ...row.server] });

    const outcome = await tunnel(row, { pings: [SMALL_PING, LARGE_PING] });

    expect(outcome.error).toBeUndefined();
    expect(outcome).toMatchObject({
      pings: [true, false],
      drops: { datachannel: { compressed: 1 } },
    });
    await expect.poll(() => pushedBy(server)).toEqual(row.pushed);
  });

  test.each(COMPRESSORS)(
    '$name: what is compressed arrives with allow-compression',
    async (row) => {
      const path = `/bytes/${PAGE_BYTES}?period=300`;
      const server = await lab.startServer({}, { lines: ['allow-compression yes', ...row.server] });
      const client = [...row.client, 'allow-compression asym'];

      const outcome = await tunnel(
        { ...row, client },
        { url: web.url(path), pings: [SMALL_PING, LARGE_PING] },
      );

      expect(outcome.error).toBeUndefined();
      expect(outcome).toMatchObject({ sha256: await web.sha256(path), pings: [true, true] });
      expect(outcome.drops).toMatchObject({ datachannel: NOTHING });
      await expect.poll(() => pushedBy(server)).toEqual(row.pushed);
      await expect.poll(() => server.stdout).toContain('IV_LZ4v2=1');
      await expect.poll(() => server.stdout).toContain('IV_LZO=1');
    },
  );

  function tunnel({ name, client }: Row, rest: { url?: string; pings: readonly number[] }) {
    return lab
      .openTunnels([{ name, profile: lab.profile({}, { lines: client }), ...rest }])
      .outcome(name);
  }
});

/** What the server pushed of compression, once it has pushed. */
function pushedBy(server: Background): string[] | undefined {
  const [reply] = /PUSH_REPLY,[^']*/.exec(server.stdout) ?? [];
  return reply?.split(',').filter((option) => /^(compress|comp-lzo)/.test(option));
}
