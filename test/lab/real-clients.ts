import type { Background } from './commands.ts';
import type { Lab } from './lab.ts';
import { unprivileged } from './lab.ts';
import { inPackage } from './package-root.ts';

/** What `real-clients.js` is to use. */
export interface RealClientsPlan {
  /** Path of the profile. */
  readonly profile: string;
  /** The servers' address in the tunnel. */
  readonly host: string;
  readonly ports: Readonly<Record<'web' | 'secureWeb' | 'redis' | 'ssh', number>>;
  readonly webSocketPort: number;
  /** Of the page to fetch. */
  readonly path: string;
  /** Of the web server over TLS. */
  readonly caPem: string;
  readonly serverName: string;
  readonly sshKeyFile: string;
  /** Where the SSH server may write. */
  readonly folder: string;
}

/** The clients, as `real-clients.js` names them, in the order in which it uses them. */
export type RealClient =
  | 'http'
  | 'https'
  | 'http2'
  | 'undici'
  | 'undiciH2'
  | 'ws'
  | 'ioredis'
  | 'ssh2';

/** Starts `real-clients.js` in the client's namespace as a user who owns nothing; gives how to wait for a line. */
export function startRealClients(
  lab: Lab,
  plan: RealClientsPlan,
): (client: RealClient) => Promise<Record<string, unknown>> {
  const file = lab.ownFile('plan.json', JSON.stringify(plan));
  const command = [process.execPath, inPackage('test/lab/real-clients.js'), file];
  const running: Background = lab.background(lab.inClient(unprivileged(command)));
  return async (client) => {
    const mark = `"event":"row","name":${JSON.stringify(client)},`;
    await running.until(mark, CLIENT_MS);
    const line = running.stdout.split('\n').find((text) => text.includes(mark)) ?? '';
    const { event, name, elapsedMs, ...seen } = JSON.parse(line);
    return seen;
  };
}

/** How long one client may take. Unit: milliseconds. */
const CLIENT_MS = 60_000;
