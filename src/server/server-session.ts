import { dataOverheadBytes } from '../datachannel/overhead.ts';
import { DATA_CIPHERS } from '../model/ciphers.ts';
import { sessionIdOf } from '../model/ids.ts';
import { NO_PUSH_OPTIONS, type PushOptions } from '../model/push-options.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import type { Link } from '../networkio/link.ts';
import { ackV1Limit, MAX_TLS_CHUNK_BYTES } from '../session/control-sizes.ts';
import { ControlWraps } from '../session/control-wraps.ts';
import type { SessionOptions } from '../session/session.ts';
import { segmentLimit } from '../session/tunnel-info.ts';
import type { AuthenticationRequest, AuthenticationVerdict } from '../tlsstate/handshake-step.ts';
import { optionsString } from '../tlsstate/options-string.ts';
import { NO_PEER_CHECKS } from '../tlsstate/verify-peer.ts';
import type { PoolAddress } from './address-pool.ts';
import { acceptedWrap } from './opening-gate.ts';
import { buildPushReply } from './push-builder.ts';
import { DEFAULT_TUN_MTU, type ResolvedServerOptions } from './server-options.ts';

/** The largest outer datagram that TCP in the tunnel should lead to, as OpenVPN's default. */
export const SERVER_MSSFIX = 1492;
const TRAN_WINDOW_MS = 3_600_000;
const REPLAY_WINDOW = { packets: 64, ms: 15_000 };

/** One peer, once its hard reset is done. */
export interface AcceptedPeer {
  readonly link: Link;
  readonly ids: SessionIds;
  /** The client's wrapped key under tls-crypt-v2, as the gate gave it. */
  readonly wrappedKey?: Buffer | undefined;
  readonly peerId: number;
  /** The server's own addresses. */
  readonly gateway: PoolAddress;
  /** The client's; known once `authenticate` has accepted it. */
  readonly address: () => PoolAddress | undefined;
  readonly authenticate: (request: AuthenticationRequest) => Promise<AuthenticationVerdict>;
}

/** What a session in the server role is made from. */
export function serverSessionOptions(
  { link, ids, wrappedKey, peerId, gateway, address, authenticate }: AcceptedPeer,
  options: ResolvedServerOptions,
): SessionOptions {
  const { clock, random, keepalive, tunMtu, handWindowMs, tlsTimeoutMs } = options;
  const { auth, compression, dataCiphers, dynTlsCrypt, aeadEpoch } = options;
  const wraps = new ControlWraps({
    wrap: acceptedWrap(options.wrap, wrappedKey),
    role: 'server',
    unixSeconds: () => clock.unixSeconds(),
    replayLimits: REPLAY_WINDOW,
  });
  const pushes = pushesOf(options);
  return {
    logger: options.logger,
    events: {},
    wraps,
    settings: {
      ...keepalive,
      wrap: options.wrap,
      auth,
      compression,
      tunMtu,
      mssfix: SERVER_MSSFIX,
      pingExitMs: 0,
      explicitExitNotify: undefined,
      serverPollTimeoutMs: handWindowMs,
      handWindowMs,
    },
    push: ownView(options),
    stack: {
      role: 'server',
      link,
      clock,
      tracer: options.tracer,
      muxer: {
        role: 'server',
        localSessionId: sessionIdOf(ids.local),
        remoteSessionId: sessionIdOf(ids.remote),
        wrapFor: (keyId) => wraps.forKey(keyId),
      },
      tlsTimeoutMs,
      ackV1Limit: ackV1Limit(options.wrap.kind !== 'none'),
      cipherProvider: options.cipherProvider,
      data: {
        handWindowMs,
        tranWindowMs: TRAN_WINDOW_MS,
        renegSecMs: options.renegSecMs,
        renegBytes: 0,
        renegPackets: 0,
        replayWindow: REPLAY_WINDOW,
        auth,
      },
      tun: { mtu: tunMtu, maxMss: serverSegmentLimit(options, link) },
      tls: (arm) => ({
        role: 'server',
        arm,
        random,
        maxChunkBytes: MAX_TLS_CHUNK_BYTES,
        firstChunkBytes: MAX_TLS_CHUNK_BYTES,
        authenticate,
        identity: {
          ca: options.ca,
          cert: options.cert,
          key: options.key,
          crl: options.crl,
          tlsVersionMin: options.tlsVersionMin,
          tlsVersionMax: options.tlsVersionMax,
          clientCertificate: options.clientCertificate,
          tlsCipher: undefined,
          tlsCiphersuites: undefined,
          tlsGroups: undefined,
          checks: {
            ...NO_PEER_CHECKS,
            remoteCertTls: options.clientCertificate === 'required' ? 'client' : undefined,
          },
        },
        handshake: {
          optionsString: optionsString({
            role: 'server',
            protocol: link.protocol,
            cipher: undefined,
            dataCiphers,
            auth,
            wrap: options.wrap,
            tunMtu,
            compression,
          }),
          dataCiphers,
          dataCiphersFallback: undefined,
          handWindowMs,
          peerId,
          grants: { dynTlsCrypt, aeadEpoch },
          buildPush: (facts) => {
            const own = address();
            if (own === undefined) throw new Error('a push without an address');
            const cipher = facts.negotiatesCipher ? facts.cipher.name : undefined;
            const parts = { ...facts, peerId, pushes: [...pushes, ...facts.tokenOptions], cipher };
            return buildPushReply({ ...parts, server: gateway, address: own });
          },
        },
      }),
    },
  };
}

/** All that the server pushes beside addresses, cipher and what goes with keys. */
export function pushesOf(options: ResolvedServerOptions): string[] {
  const { keepalive, tunMtu, compression, pushes } = options;
  const { pingMs, pingRestartMs } = keepalive;
  return [
    ...(compression === 'none' ? [] : [COMPRESSION_OPTIONS[compression]]),
    ...(tunMtu === DEFAULT_TUN_MTU ? [] : [`tun-mtu ${tunMtu}`]),
    ...(pingMs > 0 ? [`ping ${Math.ceil(pingMs / 1000)}`] : []),
    ...(pingRestartMs > 0 ? [`ping-restart ${Math.ceil(pingRestartMs / 1000)}`] : []),
    ...pushes,
  ];
}

/** The segment payload with which the packets of no client, whatever it negotiates, get too long. */
export function serverSegmentLimit(
  { tunMtu, dataCiphers, auth, compression: framing, aeadEpoch }: ResolvedServerOptions,
  link: Pick<Link, 'protocol' | 'remoteAddress'>,
): number {
  const overheads = dataCiphers.flatMap((name) => {
    const cipher = DATA_CIPHERS.get(name);
    if (cipher === undefined) return [];
    const epoch = aeadEpoch && cipher.aead;
    return dataOverheadBytes({ cipher, auth, peerId: 0, epoch, framing });
  });
  return segmentLimit(tunMtu, SERVER_MSSFIX, link, Math.max(...overheads));
}

const COMPRESSION_OPTIONS = {
  'comp-lzo-no': 'comp-lzo no',
  stub: 'compress stub',
  'stub-v2': 'compress stub-v2',
} as const;

/** The tunnel as the server's session sees it: nothing is pushed to it, keepalive is its own. */
function ownView({ keepalive, tunMtu }: ResolvedServerOptions): PushOptions {
  return { ...NO_PUSH_OPTIONS, ...keepalive, topology: 'subnet', tunMtu, pingExitMs: 0 };
}
