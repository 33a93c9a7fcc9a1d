import { existsSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import type { Issued } from '../../src/server/pki.ts';
import type { Background } from './commands.ts';
import type { Lab } from './lab.ts';
import { LAB } from './openvpn-config.ts';

/** Where Debian's servers listen, on the server's address in the tunnel. */
export const DAEMON_PORTS = { web: 8081, secureWeb: 8443, redis: 6379, ssh: 2222 } as const;

const POLL_MS = 20;
const START_MS = 10_000;

/** Starts Debian's nginx: HTTP, and HTTP/2 over TLS; it serves the files of the lab's folder. */
export async function startNginx(lab: Lab, { certPem, keyPem }: Issued): Promise<Background> {
  const pid = lab.write('nginx.pid', '');
  const folder = pid.replace(/\/[^/]*$/, '');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const { tunnelServer, tunnelServer6 } = LAB;
  const listen = (port: number, more = '') =>
    [`listen ${tunnelServer}:${port}${more};`, `listen [${tunnelServer6}]:${port}${more};`].join(
      '\n',
    );
  const config = `
daemon off;
pid ${folder}/nginx.started;
error_log stderr warn;
worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join('\n  ')}
  root ${folder};
  server { ${listen(DAEMON_PORTS.web)} }
  server {
    ${listen(DAEMON_PORTS.secureWeb, ' ssl http2')}
    ssl_certificate ${lab.write('nginx.crt', certPem)};
    ssl_certificate_key ${lab.write('nginx.key', keyPem)};
  }
}
`;
  const command = ['nginx', '-c', lab.write('nginx.conf', config)];
  const nginx = lab.background(lab.inServer(command));
  await appears(`${folder}/nginx.started`, nginx);
  return nginx;
}

/** Starts Debian's Redis, which keeps nothing. */
export async function startRedis(lab: Lab): Promise<Background> {
  const { tunnelServer, tunnelServer6 } = LAB;
  const options = ['--save', '', '--appendonly', 'no', '--protected-mode', 'no'];
  const bind = ['--bind', tunnelServer, tunnelServer6, '--port', String(DAEMON_PORTS.redis)];
  const redis = lab.background(lab.inServer(['redis-server', ...bind, ...options]));
  await redis.until('Ready to accept connections');
  return redis;
}

/** Starts Debian's OpenSSH server; root comes in by `login`, whose file is the client's own. */
export async function startSshd(lab: Lab): Promise<{ daemon: Background; keyFile: string }> {
  const [host, user] = [generateKey(), generateKey()];
  const hostKeyFile = lab.secretFile('ssh-host-key', host.private);
  const keys = lab.write('authorized-keys', `${user.public}\n`);
  const config = `
ListenAddress ${LAB.tunnelServer}
Port ${DAEMON_PORTS.ssh}
HostKey ${hostKeyFile}
AuthorizedKeysFile ${keys}
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
`;
  mkdirSync('/run/sshd', { recursive: true });
  const path = lab.write('sshd.conf', config);
  const daemon = lab.background(lab.inServer(['/usr/sbin/sshd', '-D', '-e', '-f', path]));
  await daemon.until('Server listening');
  return { daemon, keyFile: lab.ownFile('ssh-user-key', user.private) };
}

function generateKey(): { private: string; public: string } {
  return ssh2.utils.generateKeyPairSync('ed25519');
}

async function appears(file: string, { output, exited }: Background): Promise<void> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const deadline = performance.now() + START_MS;
  while (!existsSync(file)) {
    if (ended || performance.now() > deadline) throw new Error(`expected ${file}, got:\n${output}`);
    await sleep(POLL_MS);
  }
}
