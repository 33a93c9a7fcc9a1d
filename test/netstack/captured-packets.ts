import { readdirSync, readFileSync } from 'node:fs';

interface Capture {
  readonly packets: readonly { readonly plaintext?: string }[];
}

const VECTORS = new URL('../vectors/', import.meta.url);

/** The IP packets inside the data packets of all captures that carry no compression framing. */
export function capturedIpPackets(): Buffer[] {
  const packets: Buffer[] = [];
  for (const entry of readdirSync(VECTORS, { withFileTypes: true })) {
    if (!entry.isDirectory() || !/^\d/.test(entry.name) || entry.name >= '6') continue;
    const file = new URL(`${entry.name}/packets.json`, VECTORS);
    const capture = JSON.parse(readFileSync(file, 'utf8')) as Capture;
    for (const { plaintext } of capture.packets) {
      const packet = Buffer.from(plaintext ?? '', 'hex');
      const version = (packet[0] ?? 0) >>> 4;
      if (packet.length >= 20 && (version === 4 || version === 6)) packets.push(packet);
    }
  }
  return packets;
}
