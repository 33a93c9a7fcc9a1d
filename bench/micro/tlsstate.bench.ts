import { setImmediate as turn } from 'node:timers/promises';
import tls from 'node:tls';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { SystemRandom } from '../../src/core/random.ts';
import { Secret } from '../../src/core/secret.ts';
import { parseControlMessage } from '../../src/tlsstate/control-message.ts';
import {
  decodeKeyMethod2,
  encodeKeyMethod2,
  type KeyMethod2,
} from '../../src/tlsstate/key-method2.ts';
import { makeKeySource } from '../../src/tlsstate/key-source2.ts';
import { TlsEngine, type TlsIdentity } from '../../src/tlsstate/tls-engine.ts';
import { NO_PEER_CHECKS } from '../../src/tlsstate/verify-peer.ts';
import { simIdentity } from '../../test/sim/sim-identity.ts';
import { measure, rowOf, type Task } from '../measure.ts';
import type { Row } from '../row.ts';

export const name = 'tlsstate';

const HANDSHAKES = 150;
const WARM_UP_HANDSHAKES = 20;
const CHUNK_BYTES = 1_100;

/** Whole TLS handshakes in this thread, beside what node:tls needs before its first byte; codecs. */
export async function bench(): Promise<Row[]> {
  const { client, server } = await identities();
  const context = () => {
    for (const { ca, cert, key } of [client, server]) {
      tls.createSecureContext({ ca, cert, key: key?.reveal() });
    }
  };
  return [
    rowOf(
      { task: 'TLS 1.3 handshake, P-256, both ends', bytes: 0, note: 'certificates both ways' },
      await timed(() => handshake(client, server)),
    ),
    rowOf(
      { task: 'of which node:tls reading the PEM texts', bytes: 0 },
      await timed(async () => context()),
    ),
    ...(await measure([...keyMethod2Tasks(), pushTask()])),
  ];
}

async function identities(): Promise<{ client: TlsIdentity; server: TlsIdentity }> {
  const { profile, server } = await simIdentity('none');
  const { ca, cert } = server;
  const checks = { ...NO_PEER_CHECKS, remoteCertTls: 'client' } as const;
  return {
    client: { ...profile, checks: profile, clientCertificate: 'required' },
    server: {
      ...profile,
      ca,
      cert,
      key: new Secret(server.key),
      checks,
      clientCertificate: 'required',
    },
  };
}

/** Nanoseconds for one run. */
async function timed(run: () => Promise<void>): Promise<number> {
  for (let count = 0; count < WARM_UP_HANDSHAKES; count += 1) await run();
  const start = performance.now();
  for (let count = 0; count < HANDSHAKES; count += 1) await run();
  return ((performance.now() - start) * 1e6) / HANDSHAKES;
}

async function handshake(client: TlsIdentity, server: TlsIdentity): Promise<void> {
  const ends = [
    new TlsEngine('client', client, () => {}),
    new TlsEngine('server', server, () => {}),
  ] as const;
  const [near, far] = ends;
  let secured = 0;
  while (secured < ends.length) {
    await turn();
    move(near, far);
    move(far, near);
    for (const end of ends) {
      for (let event = end.takeEvent(); event !== undefined; event = end.takeEvent()) {
        if (event.kind === 'failed') throw event.error;
        if (event.kind === 'secure') secured += 1;
      }
    }
  }
  for (const end of ends) end.destroy();
}

function move(from: TlsEngine, to: TlsEngine): void {
  for (;;) {
    const bytes = from.takeOutput(CHUNK_BYTES);
    if (bytes === undefined) return;
    to.feed(bytes);
  }
}

function keyMethod2Tasks(): Task[] {
  const message: KeyMethod2 = {
    source: makeKeySource('client', new SystemRandom()),
    options:
      'V4,dev-type tun,link-mtu 1549,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 256,key-method 2,tls-client',
    username: undefined,
    password: undefined,
    peerInfo:
      'IV_VER=tundial\nIV_PLAT=linux\nIV_PROTO=926\nIV_CIPHERS=AES-256-GCM:CHACHA20-POLY1305\n',
  };
  const bytes = encodeKeyMethod2(message);
  return [
    { task: 'encode key method 2', bytes: bytes.length, run: () => void encodeKeyMethod2(message) },
    {
      task: 'decode key method 2',
      bytes: bytes.length,
      run: () => {
        if (decodeKeyMethod2(bytes, 'client') instanceof Error) throw new Error('refused');
      },
    },
  ];
}

function pushTask(): Task {
  const text = [
    'PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ifconfig 10.8.0.2 255.255.255.0',
    'ifconfig-ipv6 fd00:8::2/64 fd00:8::1,peer-id 0,cipher AES-256-GCM,protocol-flags cc-exit tls-ekm',
    'dhcp-option DNS 10.8.0.1,route 10.9.0.0 255.255.0.0,ping 10,ping-restart 60,tun-mtu 1500',
  ].join(',');
  return {
    task: 'parse PUSH_REPLY',
    bytes: text.length,
    run: () => {
      const message = parseControlMessage(text);
      if (message.kind !== 'push-reply') throw new Error('not a PUSH_REPLY');
      readPushOptions(message.options);
    },
  };
}
