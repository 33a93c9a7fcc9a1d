import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Background, Finished } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import { TUNDIAL, unprivileged } from '../lab/lab.ts';
import { LAB } from '../lab/openvpn-config.ts';
import type { PageServer } from '../lab/page-server.ts';

describeInLab("the commands, by Debian's openvpn", (lab) => {
  let profile: string;
  let server: Background;
  let web: PageServer;

  beforeAll(async () => {
    profile = lab.profile();
    server = await lab.startServer();
    web = await lab.startWeb();
    await lab.script('server', 'test/lab/dns-server.js', [LAB.tunnelServer]).until('listening');
  });

  describe('ping', () => {
    const quick = ['-c', '3', '-i', '0.1', '-W', '1'];

    test.each([LAB.tunnelServer, LAB.tunnelServer6, 'host.lab.test', 'host'])(
      '%s answers: 0',
      async (host) => {
        const { status, stdout } = await lab.tundial(['ping', ...quick, profile, host]);
        expect(stdout).toMatch(/bytes from (10\.99\.0\.1|fd99:0:0:1::1): seq=3 ttl=64 time=\d/);
        expect(stdout).toContain('3 packets transmitted, 3 received, 0% packet loss');
        expect(status).toBe(0);
      },
    );

    test('a record for each reply with --json', async () => {
      const finished = await lab.tundial(['ping', '--json', ...quick, profile, LAB.tunnelServer]);
      expect(records(finished)).toEqual(
        [1, 2, 3].map((sequence) =>
          expect.objectContaining({ sequence, from: LAB.tunnelServer, timeMs: expect.any(Number) }),
        ),
      );
    });

    test('nobody answers: 1', async () => {
      const args = ['ping', '-c', '1', '-W', '0.3', profile, '10.99.0.77'];
      const { status, stdout } = await lab.tundial(args);
      expect(stdout).toContain('1 packets transmitted, 0 received, 100% packet loss');
      expect(status).toBe(1);
    });
  });

  describe('dns', () => {
    // biome-ignore format: a table, one row a line
    test.each([
      { name: 'host.lab.test', type: 'A',    text: '10.99.0.1' },
      { name: 'host',          type: 'A',    text: '10.99.0.1' },
      { name: 'host.lab.test', type: 'AAAA', text: 'fd99:0:0:1::1' },
      { name: 'host.lab.test', type: 'MX',   text: '10 mail.lab.test' },
      { name: 'host.lab.test', type: 'TXT',  text: '"one" "two"' },
    ])('$name $type: 0', async ({ name, type, text }) => {
      const finished = await lab.tundial(['dns', '--json', profile, name, type]);
      expect(records(finished)).toEqual([
        expect.objectContaining({ name: 'host.lab.test', type, ttl: 60, text }),
      ]);
      expect(finished.status).toBe(0);
    });

    test('a name that is not there: 68', async () => {
      const { status, stderr } = await lab.tundial(['dns', profile, 'nobody.lab.test']);
      expect(stderr).toMatch(/ENOTFOUND nobody\.lab\.test/);
      expect(status).toBe(68);
    });
  });

  describe('fetch', () => {
    test('a page by a name: 0, and the page alone on standard output', async () => {
      const url = 'http://host.lab.test:8080/bytes/100000';
      const { status, stdout } = await lab.tundial(['fetch', '--json', profile, url]);
      expect(JSON.parse(stdout)).toMatchObject({ url, status: 200, bytes: 100_000 });
      expect(status).toBe(0);
    });

    // biome-ignore format: a table, one row a line
    test.each([
      { name: 'HTTP 404',                     url: () => web.url('/nothing'),          status: 1 },
      { name: 'no such host',                 url: () => 'http://nobody.lab.test/',    status: 68 },
      { name: 'a port on which nobody listens', url: () => 'http://10.99.0.1:9/',      status: 69 },
      { name: 'not a URL',                    url: () => 'nonsense',                   status: 64 },
    ])('$name: $status', async ({ url, status }) => {
      const finished = await lab.tundial(['fetch', profile, url()]);
      expect(finished.stderr).toMatch(/^(tundial|error): /);
      expect(finished.status).toBe(status);
    });

    test.each([
      { signal: 'SIGINT', status: 130 },
      { signal: 'SIGTERM', status: 143 },
    ] as const)(
      '$signal in a transfer: $status, and the server is told',
      async ({ signal, status }) => {
        const url = web.url(`/bytes/50000000?mbit=2&seed=${signal}`);
        const fetch = lab.startTundial('client', [
          'fetch',
          '--verbose',
          '-o',
          '/dev/null',
          profile,
          url,
        ]);
        await fetch.until('up in');
        await sleep(300);
        const told = server.count(EXIT_RECEIVED);
        expect(await fetch.stop(signal)).toBe(status);
        await expect.poll(() => server.count(EXIT_RECEIVED)).toBe(told + 1);
      },
    );
  });

  describe('trace', () => {
    test('each packet and state of the handshake with --json', async () => {
      const finished = await lab.tundial(['trace', '--json', profile]);

      const events = records(finished) as { operation: string; stage: string; tags: string[] }[];
      expect(finished.status).toBe(0);
      for (const event of events) {
        expect(event).toEqual({
          operation: expect.stringMatching(/^(state|packet_in|packet_out|packet_dropped)$/),
          stage: expect.stringMatching(/^S_[A-Z_]+$/),
          t: expect.any(Number),
          tags: expect.any(Array),
          packet: event.operation === 'state' ? null : PACKET,
        });
      }
      const states = events.filter((event) => event.operation === 'state');
      expect(states.map((event) => event.stage)).toEqual(STAGES);
      expect(events.flatMap(({ tags }) => tags)).toEqual(['client_hello', 'server_hello']);
    });

    test('a refused certificate: 77, after what was seen', async () => {
      const strict = lab.profile({}, { lines: ['verify-x509-name other-server name'] });
      const finished = await lab.tundial(['trace', '--json', strict]);
      const last = records(finished).pop();
      expect(last).toEqual({ error: expect.objectContaining({ code: 'OVPN_CERT_NAME' }) });
      expect(finished.stdout).toContain('"server_hello"');
      expect(finished.status).toBe(77);
    });
  });
});

describeInLab('a server that goes away in a transfer', (lab) => {
  afterEach(() => lab.quiet());

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'UDP, it says so',  proto: 'udp', lines: ['explicit-exit-notify 1'], code: 'OVPN_PEER_RESTART', status: 75 },
    { name: 'TCP, it hangs up', proto: 'tcp', lines: [],                         code: 'OVPN_LINK_CLOSED',  status: 69 },
  ] as const)('$name: $code, $status', async ({ proto, lines, code, status }) => {
    const web = await lab.startWeb();
    const server = await lab.startServer({ proto }, { lines });
    const url = web.url('/bytes/50000000?mbit=2');
    const args = ['fetch', '--json', '--verbose', lab.profile({ proto }), url];
    const fetch = lab.startTundial('client', args);
    await fetch.until('up in');
    await sleep(300);

    await server.stop();

    const finished = await fetch.finished();
    expect(records(finished)).toEqual([{ error: expect.objectContaining({ code }) }]);
    expect(finished.status).toBe(status);
  });
});

describeInLab('the commands, by our own server', (lab) => {
  afterEach(() => lab.quiet());

  test.each([
    { proto: 'udp', wrap: 'none' },
    { proto: 'tcp', wrap: 'tls-crypt' },
  ])('serve over $proto, $wrap: clients join by the profile it writes', async ({ proto, wrap }) => {
    const profile = lab.ownFile('served.ovpn');
    const address = ['--host', LAB.server, '--port', String(LAB.port), '--proto', proto];
    const args = ['serve', ...address, '--wrap', wrap, '-o', profile, '--subnet', '10.44.0.0/24'];
    const serve = lab.startTundial('server', args);
    await serve.until('listening on');

    const ping = await lab.tundial(['ping', '-c', '2', '-i', '0.1', profile, '10.44.0.1']);
    expect(ping.stdout).toContain('2 packets transmitted, 2 received, 0% packet loss');
    expect(ping.status).toBe(0);
    expect(serve.count('joined as 10.44.0.2')).toBeGreaterThan(0);
    await serve.until('10.44.0.2 left');

    const fetch = await lab.tundial(['fetch', profile, 'http://10.44.0.1/']);
    expect(fetch.stderr).toContain('ECONNREFUSED');
    expect(fetch.status).toBe(69);
    expect(await serve.stop('SIGINT')).toBe(130);
  });

  test('demo as a user who owns nothing, on a machine without a network: 0', async () => {
    const demo = unprivileged([...TUNDIAL, 'demo']);
    const alone = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...demo];
    const { status, stdout, stderr, elapsedMs } = await lab.background(alone).finished();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /S_GENERATED_KEYS[\s\S]*SHA-256 [0-9a-f]{64}[\s\S]*4 received, 0% packet/,
    );
    expect(elapsedMs).toBeLessThan(DEMO_MS);
  });
});

/** The JSON lines on standard output. */
function records({ stdout }: Finished): Record<string, unknown>[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const DEMO_MS = 5_000;

/** What the server logs when a client takes its leave. */
const EXIT_RECEIVED = 'exit message received by peer';

/** The states of a client's first negotiation, in order. */
const STAGES = [
  'S_PRE_START',
  'S_START',
  'S_SENT_KEY',
  'S_GOT_KEY',
  'S_ACTIVE',
  'S_GENERATED_KEYS',
];

const PACKET = {
  operation: expect.stringMatching(/^(read|write)$/),
  opcode: expect.stringMatching(/^P_[A-Z0-9_]+$/),
  id: expect.toSatisfy((id: unknown) => id === null || typeof id === 'number'),
  acks: expect.any(Array),
  payload_size: expect.any(Number),
  send_attempts: expect.any(Number),
};
