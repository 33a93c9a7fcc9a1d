import { afterEach, expect, test } from 'vitest';
import type { Finished } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import { LAB } from '../lab/openvpn-config.ts';
import { dissect } from '../lab/tshark.ts';

/** Names on their way outside of the tunnel, by whatever protocol. */
const NAMES_OUTSIDE =
  'dns or mdns or llmnr or tcp.port in {53,853,5300} or udp.port in {53,853,5300,5353}';
const OTHER_PORT = '5300';

describeInLab("names, by Debian's openvpn", (lab) => {
  afterEach(() => lab.quiet());

  async function startDns(...port: string[]): Promise<void> {
    const args = [LAB.tunnelServer, ...port];
    await lab.script('server', 'test/lab/dns-server.js', args).until('listening');
  }

  test('no query leaves the tunnel: 0 packets to port 53 on the wire', async () => {
    const web = await lab.startWeb();
    await lab.startServer();
    await startDns();
    const capture = await lab.capture('names.pcapng');
    const profile = lab.profile();
    const page = web.url('/bytes/1000').replace(LAB.tunnelServer, 'host.lab.test');

    const runs = [
      await lab.tundial(['dns', profile, 'host', 'A']),
      await lab.tundial(['dns', profile, 'big.lab.test', 'TXT']),
      await lab.tundial(['dns', profile, 'nobody.lab.test']),
      await lab.tundial(['dns', profile, 'host.lab.test', '--dns-server', '10.99.0.77']),
      await lab.tundial(['fetch', profile, page]),
      await lab.tundial(['fetch', profile, 'http://nobody.example/']),
      await lab.tundial(['ping', '-c', '1', profile, 'host']),
    ];
    await capture.stop();

    expect(runs.map(({ status }) => status)).toEqual([0, 0, 68, 124, 0, 68, 0]);
    expect(dissect(capture.file, ['frame.number'], { filter: NAMES_OUTSIDE })).toEqual([]);
    expect(dissect(capture.file, ['frame.number']).length).toBeGreaterThan(100);
  });

  test('a query outside would be seen', async () => {
    await lab.startServer();
    const capture = await lab.capture('outside.pcapng');
    const query = `head -c 40 /dev/zero > /dev/udp/${LAB.server}/53`;
    await lab.background(lab.inClient(['bash', '-c', query])).finished();
    await capture.stop();
    expect(dissect(capture.file, ['frame.number'], { filter: NAMES_OUTSIDE })).not.toEqual([]);
  });

  test('a large answer is fetched over TCP', async () => {
    await lab.startServer();
    await startDns();
    const finished = await lab.tundial(['dns', '--json', lab.profile(), 'big.lab.test', 'TXT']);
    expect(records(finished)).toHaveLength(40);
    expect(finished.status).toBe(0);
  });

  test('`dns server` with a port and domains, as OpenVPN pushes it', async () => {
    const lines = [
      `push "dns server 0 address ${LAB.tunnelServer}:${OTHER_PORT}"`,
      'push "dns server 0 resolve-domains lab.test"',
      'push "dns search-domains lab.test"',
    ];
    await lab.startServer({}, { lines });
    await startDns(OTHER_PORT);
    const profile = lab.profile();

    const finished = await lab.tundial(['dns', '--json', profile, 'host', 'CAA']);
    expect(records(finished)).toEqual([
      expect.objectContaining({
        name: 'host.lab.test',
        type: 'CAA',
        text: '0 issue "ca.lab.test"',
        server: `${LAB.tunnelServer}:${OTHER_PORT}`,
      }),
    ]);
    const other = await lab.tundial(['dns', profile, 'www.example.com']);
    expect(other.stderr).toMatch(/ENOTFOUND www\.example\.com .*other domains.*--dns-server/);
    expect(other.status).toBe(68);
  });
});

function records({ stdout }: Finished): unknown[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
