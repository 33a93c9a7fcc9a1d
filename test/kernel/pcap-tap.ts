import { writeFileSync } from 'node:fs';
import { attempt } from '../lab/commands.ts';
import type { Tap } from './kernel-tun.ts';

/** Packets as a capture file keeps them: raw IP (LINKTYPE_RAW), in microseconds. */
const MAGIC = 0xa1b2_c3d4;
const LINKTYPE_RAW = 101;
const SNAP_BYTES = 65_535;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** Keeps all packets that pass a device, as they were, to show them to Wireshark. */
export class PcapTap {
  readonly #parts: Buffer[] = [fileHeader()];

  readonly tap: Tap = (packet) => {
    const us = Math.round((performance.timeOrigin + performance.now()) * 1000);
    const header = Buffer.alloc(RECORD_HEADER_BYTES);
    header.writeUInt32LE(Math.floor(us / 1_000_000), 0);
    header.writeUInt32LE(us % 1_000_000, 4);
    header.writeUInt32LE(packet.length, 8);
    header.writeUInt32LE(packet.length, 12);
    this.#parts.push(header, Buffer.from(packet));
  };

  get packets(): number {
    return (this.#parts.length - 1) / 2;
  }

  write(file: string): void {
    writeFileSync(file, Buffer.concat(this.#parts));
  }
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAP_BYTES, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return header;
}

/** The packets of `file` that a display filter of Wireshark's matches: number and remarks of each. */
export function packetsLike(file: string, filter: string): string[] {
  const { status, stdout, stderr } = attempt([
    'tshark',
    ...['-r', file, '-n', '-Y', filter],
    ...['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]),
    ...['-T', 'fields', '-e', 'frame.number', '-e', '_ws.expert.message'],
  ]);
  if (status !== 0) throw new Error(`tshark: status ${status}\n${stderr}`);
  return stdout.split('\n').slice(0, -1);
}
