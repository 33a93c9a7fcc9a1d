/** Levels of {@link Logger}, most severe first. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Takes one line at a time; off by default. Lines never hold secrets or control characters. */
export type Logger = (level: LogLevel, layer: string, text: string) => void;

export const noLog: Logger = () => {};

/** Longest piece of a peer's text that is shown. Unit: bytes. */
export const MAX_SHOWN_BYTES = 256;

/** A peer's bytes as text that a terminal can show: printable ASCII kept, all else escaped, cut. */
export function printable(text: string | Uint8Array): string {
  const bytes = Buffer.from(text as Uint8Array).subarray(0, MAX_SHOWN_BYTES);
  let shown = '';
  for (const byte of bytes) {
    shown +=
      byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return shown;
}

/** Whether `text` holds a control character, of ASCII or of C1: a terminal may act on it. */
export function hasControlCharacter(text: string): boolean {
  return CONTROL_CHARACTER.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;
