import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL_CIPHERS, CELLS, type Cell, groupsOf, PROTOS, SUITES, WRAPS } from '../lab/cells.ts';
import type { Background } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { PageServer } from '../lab/page-server.ts';
import type { TunnelClient, TunnelRow } from '../lab/tunnel-client.ts';

const PAGE_BYTES = 20_000_000;

/**
 * After so many bytes one end starts a renegotiation. The server counts more than one page: over TCP
 * it encrypts packets that its full queue then drops.
 */
const REKEY_BYTES = 11_000_000;
/** Where the client reads on only once there was one. */
const WAIT_AT_BYTE = 16_000_000;

describe('the selection of cells', () => {
  const DIMENSIONS = {
    proto: PROTOS,
    wrap: WRAPS,
    suite: SUITES.map(suiteOf),
    tls: ['1.2', '1.3'],
    inner: [4, 6],
    outer: [4, 6],
    rekeyBy: ['client', 'server'],
  };
  type Dimension = keyof typeof DIMENSIONS;
  const names = Object.keys(DIMENSIONS) as Dimension[];

  test.each(pairsOf(names))('every %s meets every %s', (one, other) => {
    const met = new Set(CELLS.map((cell) => `${choiceOf(cell, one)} ${choiceOf(cell, other)}`));
    expect(met.size).toBe(DIMENSIONS[one].length * DIMENSIONS[other].length);
  });

  test('every transport x wrap x suite is there, twice', () => {
    const names = CELLS.map((cell) => [cell.proto, cell.wrap, suiteOf(cell)].join());
    expect(new Set(names).size).toBe(2 * 4 * 8);
    expect(CELLS).toHaveLength(2 * 2 * 4 * 8);
  });

  test('tls-auth has each digest with and without a direction', () => {
    const wrapped = CELLS.filter(({ wrap }) => wrap === 'tls-auth');
    expect(new Set(wrapped.map(({ auth }) => auth)).size).toBe(3);
    expect(new Set(wrapped.map(({ direction }) => direction))).toEqual(new Set([undefined, 0, 1]));
  });

  function choiceOf(cell: Cell, dimension: Dimension): unknown {
    return dimension === 'suite' ? suiteOf(cell) : cell[dimension];
  }
});

describeInLab("20 MB through Debian's openvpn by the library, without root", (lab) => {
  let web: PageServer;
  beforeAll(async () => {
    web = await lab.startWeb();
  });

  describe.each(groupsOf(CELLS))('$proto, $wrap, auth $auth, rekey by $rekeyBy', (group) => {
    const { cells, rekeyBy, ...kind } = group;
    let server: Background;
    let client: TunnelClient;
    beforeAll(async () => {
      server = await lab.startServer(
        { ...kind, cipher: ALL_CIPHERS, outer: 'both' },
        { lines: [`reneg-bytes ${rekeyBy === 'server' ? REKEY_BYTES : 0}`] },
      );
      client = lab.openTunnels(cells.map(rowOf));
    });
    afterAll(() => Promise.all([client.stop(), server.stop()]));

    test.each(cells)('$cipher, TLS $tls, IPv$inner in IPv$outer', async (cell) => {
      const outcome = await client.outcome(cell.name);

      expect(outcome.error).toBeUndefined();
      expect(outcome).toMatchObject({
        info: { cipher: cell.cipher, tlsVersion: `TLSv${cell.tls}`, protocol: cell.proto },
        bytes: PAGE_BYTES,
        sha256: await web.sha256(pathOf(cell)),
      });
      const [first, ...more] = outcome.rekeys ?? [];
      expect(first?.keyId).toBe(1);
      expect(first?.atByte).toBeLessThan(PAGE_BYTES);
      if (rekeyBy === 'client') {
        expect(more).toEqual([]);
        await expect.poll(() => loggedOf(server, cell)).toEqual({ started: 0, done: 1, keyed: 2 });
      } else {
        await expect.poll(() => loggedOf(server, cell)).toEqual(AT_LEAST_ONE);
      }
    });
  });

  function rowOf(cell: Cell): TunnelRow {
    const { name, rekeyBy } = cell;
    const startAtByte = rekeyBy === 'client' ? REKEY_BYTES : Number.MAX_SAFE_INTEGER;
    return {
      name,
      profile: lab.profile(cell, {
        lines: ['push-peer-info', `setenv ${markOf(cell).replace('=', ' ')}`],
      }),
      url: web.url(pathOf(cell), cell.inner),
      rekey: { startAtByte, waitAtByte: WAIT_AT_BYTE },
    };
  }
});

const atLeast = (least: number): unknown =>
  expect.toSatisfy((found: number) => found >= least, `at least ${least}`);
const AT_LEAST_ONE = { started: atLeast(1), done: atLeast(1), keyed: atLeast(2) };

/** A page of its own for each cell. */
function pathOf(cell: Cell): string {
  return `/bytes/${PAGE_BYTES}?seed=${CELLS.indexOf(cell)}`;
}

/** How many renegotiations the server started and finished with that cell's client, and its keys. */
function loggedOf(
  server: Background,
  cell: Cell,
): { started: number; done: number; keyed: number } {
  const clients = server.stdout.split('multi_create_instance called');
  const log = clients.find((text) => text.includes(`peer info: ${markOf(cell)}\n`)) ?? '';
  const count = (text: string) => log.split(text).length - 1;
  return {
    started: count('TLS: soft reset'),
    done: count(`Control Channel: TLSv${cell.tls}`) - 1,
    keyed: count(`Outgoing Data Channel: Cipher '${cell.cipher}' initialized`),
  };
}

/** A line of peer info by which the server's log tells one client from the other. */
function markOf(cell: Cell): string {
  return `UV_CELL=${CELLS.indexOf(cell)}`;
}

function suiteOf({ cipher, auth }: { readonly cipher: string; readonly auth: string }): string {
  return `${cipher}/${auth}`;
}

function pairsOf<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((one, index) => items.slice(index + 1).map((other): [T, T] => [one, other]));
}
