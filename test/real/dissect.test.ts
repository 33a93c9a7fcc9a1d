import { afterEach, describe, expect, test } from 'vitest';
import { describeInLab } from '../lab/describe-in-lab.ts';
import { LAB } from '../lab/openvpn-config.ts';
import { type DissectOptions, dissect } from '../lab/tshark.ts';

/** Opcodes as Wireshark writes them. */
const RESET_CLIENT = '0x07';
const RESET_SERVER = '0x08';
const CONTROL = '0x04';
const ACK = '0x05';
const DATA = '0x09';

describeInLab('our packets in the eyes of Wireshark', (lab) => {
  afterEach(() => lab.quiet());

  describe.each([
    { proto: 'udp', wrap: 'none' },
    { proto: 'udp', wrap: 'tls-crypt' },
    { proto: 'tcp', wrap: 'none' },
    { proto: 'tcp', wrap: 'tls-crypt' },
    { proto: 'udp', wrap: 'tls-auth', auth: 'SHA1' },
    { proto: 'tcp', wrap: 'tls-auth', auth: 'SHA256', direction: 0 },
  ] as const)('$proto, $wrap $auth', (kind) => {
    test('a whole session on the wire', async () => {
      const web = await lab.startWeb();
      await lab.startServer(kind);
      const capture = await lab.capture('session.pcapng');
      const args = ['fetch', '--json', lab.profile(kind), web.url('/bytes/300000')];
      expect((await lab.tundial(args)).status).toBe(0);
      await capture.stop();

      const sent = opcodes(capture.file, LAB.client, kind);
      expect(complaints(capture.file, kind)).toEqual([]);
      expect(new Set(sent)).toEqual(new Set([RESET_CLIENT, CONTROL, ACK, DATA]));
      expect(sent[0]).toBe(RESET_CLIENT);
      expect(new Set(opcodes(capture.file, LAB.server, kind))).toEqual(
        new Set([RESET_SERVER, CONTROL, ACK, DATA]),
      );
      expect(undissected(capture.file, kind)).toBe(0);
    });

    test('the capture that `trace --pcapng` writes', async () => {
      await lab.startServer(kind);
      const file = lab.ownFile('trace.pcapng');
      const { status, stdout } = await lab.tundial([
        'trace',
        '--json',
        '--pcapng',
        file,
        lab.profile(kind),
      ]);
      expect(status).toBe(0);

      const events = stdout.split('\n').slice(0, -1);
      const traced = events.filter((line) => line.includes('"operation":"packet_out"')).length;
      const sent = opcodes(file, LAB.client, kind);
      expect(complaints(file, kind)).toEqual([]);
      expect(undissected(file, kind)).toBe(0);
      expect(sent[0]).toBe(RESET_CLIENT);
      expect(sent.filter((opcode) => opcode !== DATA)).toHaveLength(traced);
      expect(opcodes(file, LAB.server, kind)[0]).toBe(RESET_SERVER);
    });
  });
});

/** Opcodes of what that end sent, in order. */
function opcodes(file: string, sender: string, kind: DissectOptions): string[] {
  const filter = `openvpn && ip.src == ${sender}`;
  return dissect(file, ['openvpn.opcode'], { ...kind, filter }).flatMap(
    (packet) => packet['openvpn.opcode'],
  );
}

/** What Wireshark finds malformed, or worth a warning or an error beside the kernel's own TCP. */
function complaints(file: string, kind: DissectOptions): unknown[] {
  const remarks = `_ws.expert.severity >= ${WARNING} && !(_ws.expert.group == ${TCP_SEQUENCE})`;
  const filter = `_ws.malformed || (${remarks})`;
  return dissect(file, ['frame.number', '_ws.malformed', '_ws.expert.message'], {
    ...kind,
    filter,
  });
}

/** How many of our packets Wireshark did not take for OpenVPN's; parts of a longer one aside. */
function undissected(file: string, kind: DissectOptions & { proto: 'udp' | 'tcp' }): number {
  const payload = kind.proto === 'udp' ? 'udp.length > 8' : 'tcp.len > 0 && !tcp.segment_data';
  const ours = `ip.src == ${LAB.client} && ${kind.proto}.port == ${LAB.port}`;
  const filter = `${ours} && ${payload} && !openvpn`;
  return dissect(file, ['frame.number'], { ...kind, filter }).length;
}

/** epan/proto.h `PI_WARN`, above it errors; and `PI_SEQUENCE`. */
const WARNING = 0x600000;
const TCP_SEQUENCE = 0x2000000;
