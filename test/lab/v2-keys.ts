import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './commands.ts';

/** Texts of a tls-crypt-v2 server key and of a client key for that server, as OpenVPN makes them. */
export function createV2Keys(): { readonly server: string; readonly client: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tundial-keys-'));
  try {
    const server = run(['openvpn', '--genkey', 'tls-crypt-v2-server']);
    const file = join(folder, 'server.key');
    writeFileSync(file, server, { mode: 0o600 });
    const client = run(['openvpn', '--tls-crypt-v2', file, '--genkey', 'tls-crypt-v2-client']);
    return { server, client };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
