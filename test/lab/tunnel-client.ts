import type { TunnelInfo } from '../../src/model/tunnel-info.ts';
import type { VpnClientOptions } from '../../src/vpnclient/options.ts';
import type { ClientStats } from '../../src/vpnclient/stats.ts';
import type { Background } from './commands.ts';
import { inPackage } from './package-root.ts';

/** One tunnel that `tunnel-client.js` is to open. */
export interface TunnelRow {
  readonly name: string;
  /** Path of the profile. */
  readonly profile: string;
  /** Further options that JSON can carry. */
  readonly options?: Omit<VpnClientOptions, 'profile'>;
  /** The page to fetch. Default: none. */
  readonly url?: string;
  /** Where in the page the client starts a renegotiation, and where it waits for one of either end. */
  readonly rekey?: { readonly startAtByte?: number; readonly waitAtByte?: number };
  /** Payload bytes of each echo request to the server, once the page is there. Default: none. */
  readonly pings?: readonly number[];
}

/** What came of it: an error, or the rest. */
export interface TunnelOutcome {
  readonly error?: { readonly code: string; readonly message: string };
  readonly info?: TunnelInfo;
  readonly localPort?: number;
  readonly status?: number;
  readonly bytes?: number;
  readonly sha256?: string;
  readonly rekeys?: readonly { readonly keyId: number; readonly atByte: number }[];
  /** Which of them were answered. */
  readonly pings?: readonly boolean[];
  readonly drops?: ClientStats['drops'];
  readonly elapsedMs: number;
}

/** The command that opens the tunnels of `file`. */
export function tunnelClientCommand(file: string): string[] {
  return [process.execPath, inPackage('test/lab/tunnel-client.js'), file];
}

/** A running `tunnel-client.js`. */
export class TunnelClient {
  readonly #background: Background;

  constructor(background: Background) {
    this.#background = background;
  }

  /** What came of the tunnel of that name, once that is known. */
  async outcome(name: string, timeoutMs = 60_000): Promise<TunnelOutcome> {
    const mark = `"event":"row","name":${JSON.stringify(name)},`;
    await this.#background.until(mark, timeoutMs);
    const line = this.#background.stdout.split('\n').find((text) => text.includes(mark)) ?? '';
    return JSON.parse(line) as TunnelOutcome;
  }

  async stop(): Promise<void> {
    await this.#background.stop();
  }
}
