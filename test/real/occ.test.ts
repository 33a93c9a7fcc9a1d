import { afterEach, expect, test } from 'vitest';
import { describeInLab } from '../lab/describe-in-lab.ts';
import { LAB } from '../lab/openvpn-config.ts';

/** The outer packet around 1,500 bytes, AES-GCM with a peer id; OpenVPN's probes are shorter by four. */
const LONGEST = 1524;
const THEIR_LONGEST = 1520;

describeInLab('OCC', (lab) => {
  afterEach(() => lab.quiet());

  test('mtu-test finds that packets of any length pass', async () => {
    await lab.startServer();
    const profile = lab.profile({}, { lines: ['mtu-test'] });
    const args = ['ping', profile, LAB.tunnelServer, '-c', '14', '--verbose'];

    const { status, stderr } = await lab.tundial(args, 60_000);

    expect(status).toBe(0);
    const [, ...numbers] =
      /mtu-test: of (\d+) .*, (\d+) arrived; of (\d+) .*, (\d+) came/.exec(stderr) ?? [];
    expect(numbers.map(Number)).toEqual([LONGEST, LONGEST, THEIR_LONGEST, THEIR_LONGEST]);
  });
});
