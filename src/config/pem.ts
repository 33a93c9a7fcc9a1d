/** One `-----BEGIN label-----` … `-----END label-----` of a text. */
export interface PemBlock {
  readonly label: string;
  /** With its markers and a line end after each line. */
  readonly text: string;
}

/** The blocks of a PEM text, in order; text around them does not count, nor does an open end. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let lines: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const begins = markerLabel(line, '-----BEGIN ');
    if (begins !== undefined) {
      label = begins;
      lines = [line];
    } else if (label !== undefined) {
      lines.push(line);
      if (markerLabel(line, '-----END ') === label) {
        blocks.push({ label, text: `${lines.join('\n')}\n` });
        label = undefined;
      }
    }
  }
  return blocks;
}

function markerLabel(line: string, marker: string): string | undefined {
  if (!line.startsWith(marker) || !line.endsWith('-----')) return undefined;
  return line.slice(marker.length, -5);
}

/** What the lines between the markers say. */
export function pemBytes({ text }: PemBlock): Buffer {
  return Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
}
