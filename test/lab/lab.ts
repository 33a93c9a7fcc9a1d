import {
  accessSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Authority, createAuthority, createStaticKeyText } from '../../src/server/pki.ts';
import { attempt, Background, type Finished, isInstalled, run } from './commands.ts';
import { clientProfile, type Keys, LAB, serverConfig, type TunnelKind } from './openvpn-config.ts';
import { inPackage } from './package-root.ts';
import { PageServer, WEB_PORT } from './page-server.ts';
import { TunnelClient, type TunnelRow, tunnelClientCommand } from './tunnel-client.ts';
import { createV2Keys } from './v2-keys.ts';

/** The command line of `tundial` without its arguments. */
export const TUNDIAL: readonly string[] = [process.execPath, inPackage('dist/cli/main.js')];

/** What a server of the lab has of its own: other keys, further lines. */
export interface ConfigChanges extends Partial<Keys> {
  readonly lines?: readonly string[];
}

/** A user who owns nothing. */
const NOBODY = 65534;
/** After this long a captured packet has left the kernel's buffer. */
const CAPTURE_DELAY_MS = 500;

/** Why there can be no lab here, or undefined. @throws Error instead, where `CI` is set */
export function whyNoLab(commands: readonly string[] = []): string | undefined {
  const reason = whatIsMissing(['openvpn', 'ip', 'setpriv', 'tshark', 'dumpcap', ...commands]);
  const { CI } = process.env;
  if (reason !== undefined && CI !== undefined) {
    throw new Error(`these tests must not be skipped in CI, but ${reason}`);
  }
  return reason;
}

function whatIsMissing(commands: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!existsSync('/dev/net/tun')) return '/dev/net/tun is not there';
  const absent = commands.find((command) => !isInstalled(command));
  return absent && `${absent} is not installed`;
}

/**
 * Two network namespaces joined by a veth pair: servers in one of them, clients in the other; whatever
 * of ours is under test runs as a user who owns nothing.
 */
export class Lab {
  readonly authority: Authority;
  /** Keys of the server and of the client. */
  readonly server: Keys;
  readonly client: Keys;
  readonly #serverSpace = `td${process.pid}s`;
  readonly #clientSpace = `td${process.pid}c`;
  readonly #running = new Set<Background>();
  #directory = '';
  #profiles = 0;

  private constructor(authority: Authority, server: Keys, client: Keys) {
    this.authority = authority;
    this.server = server;
    this.client = client;
  }

  /** Makes the keys; {@link up} makes the rest. */
  static async create(): Promise<Lab> {
    const authority = await createAuthority('lab-ca');
    const shared = { caPem: authority.certPem, staticKey: createStaticKeyText() };
    const v2Keys = createV2Keys();
    const issue = async (purpose: 'server' | 'client'): Promise<Keys> => ({
      ...shared,
      v2Key: v2Keys[purpose],
      ...(await authority.issue({ commonName: `lab-${purpose}`, purpose })),
    });
    return new Lab(authority, await issue('server'), await issue('client'));
  }

  /** Makes a folder and the namespaces. */
  up(): void {
    accessSync(inPackage('dist/cli/main.js'));
    this.#directory = mkdtempSync(join(tmpdir(), 'tundial-lab-'));
    chmodSync(this.#directory, 0o755);
    const [server, client] = [this.#serverSpace, this.#clientSpace];
    for (const space of [server, client]) {
      run(['ip', 'netns', 'add', space]);
      run(['ip', '-n', space, 'link', 'set', 'lo', 'up']);
    }
    const peer = ['peer', 'name', 'veth0', 'netns', client];
    run(['ip', 'link', 'add', 'veth0', 'netns', server, 'type', 'veth', ...peer]);
    this.#address(server, LAB.server, LAB.server6);
    this.#address(client, LAB.client, LAB.client6);
  }

  /** Ends what was started and removes what was made. */
  async down(): Promise<void> {
    await this.quiet();
    for (const space of [this.#clientSpace, this.#serverSpace]) {
      attempt(['ip', 'netns', 'del', space]);
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Ends the processes that were started; the namespaces stay. */
  async quiet(): Promise<void> {
    const running = [...this.#running];
    this.#running.clear();
    await Promise.all(running.map((background) => background.stop()));
  }

  /** Starts Debian's OpenVPN as server and waits until it is ready. */
  async startServer(kind: TunnelKind = {}, { lines = [], ...keys }: ConfigChanges = {}) {
    const login = kind.login === 'user' ? this.#passwordLines() : [];
    const text = serverConfig(kind, { ...this.server, ...keys }, [...login, ...lines]);
    const server = this.background(
      this.inServer(['openvpn', '--config', this.write('server.conf', text)]),
    );
    await server.until('Initialization Sequence Completed');
    return server;
  }

  /** Writes the profile of a client that fits; gives its path. */
  profile(kind: TunnelKind = {}, { lines = [], ...keys }: ConfigChanges = {}): string {
    this.#profiles += 1;
    const text = clientProfile(kind, { ...this.client, ...keys }, lines);
    return this.write(`client-${this.#profiles}.ovpn`, text);
  }

  /** Starts a web server in the server's namespace; see `pages.js` for what it answers. */
  async startWeb(): Promise<PageServer> {
    const web = this.script('server', 'test/lab/web-server.js', [String(WEB_PORT)]);
    await web.until('listening');
    return new PageServer(web, { 4: LAB.tunnelServer, 6: LAB.tunnelServer6 });
  }

  /** Captures what passes the server's end of the veth pair; `stop` it before reading the file. */
  async capture(name: string): Promise<{ file: string; stop: () => Promise<unknown> }> {
    const file = join(this.#directory, name);
    const capture = this.background(
      this.inServer(['dumpcap', '-q', '-i', 'veth0', '-B', '32', '-w', file]),
    );
    await capture.until('File: ');
    const stop = async () => {
      await sleep(CAPTURE_DELAY_MS);
      return capture.stop('SIGINT');
    };
    return { file, stop };
  }

  /** Runs `tundial` in the client's namespace, as a user who owns nothing, to its end. */
  tundial(args: readonly string[], timeoutMs?: number): Promise<Finished> {
    return this.background(this.#tundial(args)).finished(timeoutMs);
  }

  /** Starts `tundial` in one of the namespaces, as a user who owns nothing. */
  startTundial(where: 'server' | 'client', args: readonly string[]): Background {
    return this.background(this.#tundial(args, where));
  }

  /** Opens tunnels by the library in the client's namespace, one by one, as a user who owns nothing. */
  openTunnels(rows: readonly TunnelRow[]): TunnelClient {
    const file = this.ownFile('rows.json', JSON.stringify(rows));
    const command = unprivileged(tunnelClientCommand(file));
    return new TunnelClient(this.background(this.inClient(command)));
  }

  /** Starts a script of the package by Node. */
  script(where: 'server' | 'client', path: string, args: readonly string[] = []): Background {
    const command = [process.execPath, inPackage(path), ...args];
    return this.background(where === 'server' ? this.inServer(command) : this.inClient(command));
  }

  /** Starts a command; {@link quiet} ends it. */
  background(command: readonly string[]): Background {
    const background = new Background(command);
    this.#running.add(background);
    void background.exited.then(() => this.#running.delete(background));
    return background;
  }

  /** A command line that runs in the server's namespace. */
  inServer(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.#serverSpace, ...command];
  }

  /** A command line that runs in the client's namespace. */
  inClient(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.#clientSpace, ...command];
  }

  /** Writes a file that everybody may read; gives its path. */
  write(name: string, content: string): string {
    const path = join(this.#directory, name);
    writeFileSync(path, content, { mode: 0o644 });
    return path;
  }

  /** Writes a file that only root may read; gives its path. */
  secretFile(name: string, content: string): string {
    const path = this.write(name, content);
    chmodSync(path, 0o600);
    return path;
  }

  /** Writes a file that only the unprivileged user may read and write; gives its path. */
  ownFile(name: string, content = ''): string {
    const path = this.write(name, content);
    chmodSync(path, 0o600);
    chownSync(path, NOBODY, NOBODY);
    return path;
  }

  /** Writes the login of the user `lab` for `--auth-user-pass`; gives its path. */
  loginFile(password = 'lab'): string {
    return this.ownFile('login', `lab\n${password}\n`);
  }

  #tundial(args: readonly string[], where: 'server' | 'client' = 'client'): string[] {
    const command = unprivileged([...TUNDIAL, ...args]);
    return where === 'server' ? this.inServer(command) : this.inClient(command);
  }

  #address(space: string, address: string, address6: string): void {
    run(['ip', '-n', space, 'addr', 'add', `${address}/24`, 'dev', 'veth0']);
    run(['ip', '-n', space, '-6', 'addr', 'add', `${address6}/64`, 'dev', 'veth0', 'nodad']);
    run(['ip', '-n', space, 'link', 'set', 'veth0', 'up']);
  }

  /** A script that knows `lab`, `lab`, and notes on standard output that it was asked. */
  #passwordLines(): string[] {
    const script = `#!/bin/sh
echo "password asked for"
{ read -r user; read -r password; } < "$1"
[ "$user" = lab ] && [ "$password" = lab ]
`;
    const path = this.write('password.sh', script);
    chmodSync(path, 0o755);
    return ['script-security 2', `auth-user-pass-verify ${path} via-file`];
  }
}

/** A command line that runs as a user who owns nothing. */
export function unprivileged(command: readonly string[]): string[] {
  const drop = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  return ['setpriv', ...drop, ...command];
}
