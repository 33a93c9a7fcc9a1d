import { setImmediate as turn } from 'node:timers/promises';
import { Channel } from '../../src/core/channel.ts';
import { Secret } from '../../src/core/secret.ts';
import type { DataChannelKey } from '../../src/model/data-channel-key.ts';
import { NO_PUSH_OPTIONS, type PushOptions } from '../../src/model/push-options.ts';
import type { SessionIds, TlsChunk } from '../../src/model/tls-chunk.ts';
import type { ControlMessage } from '../../src/tlsstate/control-message.ts';
import type { AuthenticationRequest } from '../../src/tlsstate/handshake-step.ts';
import { optionsString } from '../../src/tlsstate/options-string.ts';
import { CLIENT_IV_PROTO, clientPeerInfo } from '../../src/tlsstate/peer-info.ts';
import { TlsStateService } from '../../src/tlsstate/service.ts';
import type { TlsIdentity } from '../../src/tlsstate/tls-engine.ts';
import type {
  ClientTlsStateOptions,
  EstablishedFacts,
  ServerTlsStateOptions,
  TlsStateEvents,
  TlsStateOptions,
  TlsStatePorts,
} from '../../src/tlsstate/tls-state-options.ts';
import { NO_PEER_CHECKS, type PeerChecks } from '../../src/tlsstate/verify-peer.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { type Authority, clientOptions, createAuthority, serverOptions } from './certificates.ts';

export const NO_CHECKS: PeerChecks = NO_PEER_CHECKS;

/** Quiet turns of the event loop after which node:tls has nothing more to say. */
const QUIET_TURNS = 12;
const MAX_TURNS = 2000;

/** A push as config reads it, from the few options that matter here. */
export function readPush(options: readonly string[]): PushOptions {
  const value = (name: string) =>
    options.find((option) => option.startsWith(`${name} `))?.slice(name.length + 1);
  const flags = value('protocol-flags')?.split(' ') ?? [];
  const peerId = value('peer-id');
  return {
    ...NO_PUSH_OPTIONS,
    peerId: peerId === undefined ? undefined : Number(peerId),
    cipher: value('cipher'),
    tlsEkm: flags.includes('tls-ekm') || value('key-derivation') === 'tls-ekm',
    ccExit: flags.includes('cc-exit'),
    dynTlsCrypt: flags.includes('dyn-tls-crypt'),
    aeadEpoch: flags.includes('aead-epoch'),
    authToken: secretOf(value('auth-token')),
    texts: options,
  };
}

/** The parts of a session around one {@link TlsStateService}, all events written down. */
export class End implements TlsStateEvents {
  readonly states: string[] = [];
  readonly messages: ControlMessage[] = [];
  readonly keysEstablished: { keyId: number; facts: EstablishedFacts }[] = [];
  readonly pushes: PushOptions[] = [];
  readonly errors: Error[] = [];
  readonly keys: DataChannelKey[] = [];
  /** What was told for the control wrap of later key ids, and how many keys were there already. */
  readonly controlKeys: { exported: Buffer | undefined; keysBefore: number }[] = [];
  readonly keyIds: number[] = [];
  readonly ports: TlsStatePorts = {
    controlToTls: new Channel<TlsChunk>('controlToTls', 16),
    tlsToControl: new Channel<TlsChunk>('tlsToControl', 16),
    hardResetDone: new Channel<SessionIds>('hardResetDone', 2),
    softReset: new Channel<number>('softReset', 2),
    keyEstablished: new Channel<number>('keyEstablished', 2),
    keyReady: new Channel<DataChannelKey>('keyReady', 2),
  };
  readonly service: TlsStateService;
  armed = 0;

  constructor(options: Omit<ClientTlsStateOptions, 'arm'> | Omit<ServerTlsStateOptions, 'arm'>) {
    const arm = () => {
      this.armed += 1;
    };
    this.service = new TlsStateService({ ...options, arm } as TlsStateOptions, this.ports, this);
  }

  get error(): Error | undefined {
    return this.errors[0];
  }

  get code(): string | undefined {
    const error = this.errors[0];
    return error !== undefined && 'code' in error ? String(error.code) : error?.message;
  }

  state(state: string, keyId: number): void {
    this.states.push(`${keyId}:${state}`);
  }

  pushed(push: PushOptions): void {
    this.pushes.push(push);
  }

  controlKey(exported: Buffer | undefined): void {
    this.controlKeys.push({ exported, keysBefore: this.keysEstablished.length });
  }

  established(keyId: number, facts: EstablishedFacts): void {
    this.keysEstablished.push({ keyId, facts });
  }

  message(message: ControlMessage): void {
    this.messages.push(message);
  }

  failed(error: Error): void {
    this.errors.push(error);
  }

  /** One run of the pump, with the far ends of the other channels. */
  run(now: number): boolean {
    if (this.service.nextTimeout() <= now) this.service.onTimeout(now);
    const moved = this.service.worker(now);
    for (let key = this.ports.keyReady.take(); key !== undefined; ) {
      this.keys.push(key);
      key = this.ports.keyReady.take();
    }
    for (let id = this.ports.keyEstablished.take(); id !== undefined; ) {
      this.keyIds.push(id);
      id = this.ports.keyEstablished.take();
    }
    return moved;
  }
}

/** A client and a server whose control channels are joined in memory; time is virtual. */
export class Pair {
  readonly client: End;
  readonly server: End;
  now = 0;
  /** Whether chunks reach the other side. */
  connected = true;

  constructor(client: End, server: End) {
    this.client = client;
    this.server = server;
  }

  begin(): void {
    const ids = { local: Buffer.alloc(8, 0xc1), remote: Buffer.alloc(8, 0x5e) };
    this.client.ports.hardResetDone.push(ids);
    this.server.ports.hardResetDone.push({ local: ids.remote, remote: ids.local });
  }

  renegotiate(keyId: number): void {
    this.client.ports.softReset.push(keyId);
    this.server.ports.softReset.push(keyId);
  }

  /** Lets both ends and node:tls work until nothing moves any more, at one moment of time. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < QUIET_TURNS && turns < MAX_TURNS; turns += 1) {
      quiet = this.#round() ? 0 : quiet + 1;
      await turn();
    }
  }

  /** Moves time on to the end of `duration`, from deadline to deadline. */
  async advance(duration: number): Promise<void> {
    const end = this.now + duration;
    await this.settle();
    for (;;) {
      const next = Math.min(this.client.service.nextTimeout(), this.server.service.nextTimeout());
      if (next > end) break;
      this.now = Math.max(next, this.now);
      await this.settle();
    }
    this.now = end;
    await this.settle();
  }

  stop(): void {
    this.client.service.stop();
    this.server.service.stop();
  }

  #round(): boolean {
    let moved = this.client.run(this.now);
    moved = this.server.run(this.now) || moved;
    moved = this.#carry(this.client, this.server) || moved;
    return this.#carry(this.server, this.client) || moved;
  }

  #carry(from: End, to: End): boolean {
    let moved = false;
    while (!to.ports.controlToTls.full) {
      const chunk = from.ports.tlsToControl.take();
      if (chunk === undefined) break;
      if (this.connected) to.ports.controlToTls.push(chunk);
      moved = true;
    }
    return moved;
  }
}

const authority: Authority = createAuthority();
export const pki = {
  authority,
  server: authority.issue(serverOptions()),
  client: authority.issue(clientOptions()),
};

export const DEFAULT_IDENTITY: Omit<TlsIdentity, 'cert' | 'key'> = {
  ca: authority.certPem,
  crl: undefined,
  tlsVersionMin: '1.2',
  tlsVersionMax: '1.3',
  tlsCipher: undefined,
  tlsCiphersuites: undefined,
  tlsGroups: undefined,
  checks: NO_CHECKS,
  clientCertificate: 'required',
};

export function identityOf(
  issued: { certPem: string; keyPem: string },
  changes: Partial<TlsIdentity> = {},
): TlsIdentity {
  return {
    ...DEFAULT_IDENTITY,
    cert: issued.certPem,
    key: new Secret(issued.keyPem),
    ...changes,
  };
}

const CIPHERS = ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'];
export const PASSWORD = 'correct horse battery staple';

/** Changes to the default client. */
export interface ClientChanges {
  readonly identity?: TlsIdentity;
  readonly ivProto?: number;
  readonly dataCiphers?: readonly string[];
  readonly credentials?: ClientTlsStateOptions['credentials'];
  readonly handshake?: Partial<ClientTlsStateOptions['handshake']>;
  readonly maxChunkBytes?: number;
  readonly firstChunkBytes?: number;
}

export function createClient(changes: ClientChanges = {}): End {
  const dataCiphers = changes.dataCiphers ?? CIPHERS;
  const ivProto = changes.ivProto ?? CLIENT_IV_PROTO;
  return new End({
    role: 'client',
    identity:
      changes.identity ??
      identityOf(pki.client, { checks: { ...NO_CHECKS, remoteCertTls: 'server' } }),
    maxChunkBytes: changes.maxChunkBytes ?? 1150,
    firstChunkBytes: changes.firstChunkBytes ?? changes.maxChunkBytes ?? 1150,
    random: new SeededRandom(1),
    credentials:
      changes.credentials ?? (async () => ({ username: 'alice', password: new Secret(PASSWORD) })),
    handshake: {
      optionsString: occ('client'),
      ivProto,
      peerInfo: clientPeerInfo({
        version: '0.1.0',
        platform: 'linux',
        maxTunMtu: 1600,
        dataCiphers,
        ivProto,
        extra: [],
      }),
      dataCiphers,
      dataCiphersFallback: undefined,
      handWindowMs: 60_000,
      renegSecMs: 3_600_000,
      readPush,
      ...changes.handshake,
    },
  });
}

/** Changes to the default server. */
export interface ServerChanges {
  readonly identity?: TlsIdentity;
  readonly dataCiphers?: readonly string[];
  readonly authenticate?: ServerTlsStateOptions['authenticate'];
  readonly handshake?: Partial<ServerTlsStateOptions['handshake']>;
}

export function createServer(
  changes: ServerChanges = {},
): End & { asked: AuthenticationRequest[] } {
  const asked: AuthenticationRequest[] = [];
  const end = new End({
    role: 'server',
    identity: changes.identity ?? identityOf(pki.server),
    maxChunkBytes: 1150,
    firstChunkBytes: 1150,
    random: new SeededRandom(2),
    authenticate: async (request) => {
      asked.push(request);
      return changes.authenticate?.(request) ?? { ok: true };
    },
    handshake: {
      optionsString: occ('server'),
      dataCiphers: changes.dataCiphers ?? CIPHERS,
      dataCiphersFallback: undefined,
      handWindowMs: 60_000,
      peerId: 7,
      grants: { dynTlsCrypt: true, aeadEpoch: true },
      buildPush: ({ cipher, peerId, tlsEkm, ccExit, dynTlsCrypt, aeadEpoch }) => {
        const granted = { 'cc-exit': ccExit, 'tls-ekm': tlsEkm };
        const wire = { 'dyn-tls-crypt': dynTlsCrypt, 'aead-epoch': aeadEpoch };
        const flags = Object.entries({ ...granted, ...wire }).flatMap(([flag, on]) =>
          on ? flag : [],
        );
        const options = ['ifconfig 10.8.0.2 255.255.255.0', `cipher ${cipher.name}`];
        if (peerId !== undefined) options.push(`peer-id ${peerId}`);
        if (flags.length > 0) options.push(`protocol-flags ${flags.join(' ')}`);
        return [['PUSH_REPLY', ...options].join(',')];
      },
      ...changes.handshake,
    },
  });
  return Object.assign(end, { asked });
}

function occ(role: 'client' | 'server'): string {
  return optionsString({
    role,
    protocol: 'udp',
    cipher: undefined,
    dataCiphers: CIPHERS,
    wrap: { kind: 'none' },
    auth: 'SHA1',
    tunMtu: 1500,
    compression: 'none',
  });
}

function secretOf(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}
