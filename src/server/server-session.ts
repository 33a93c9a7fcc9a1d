import { sessionIdOf } from '../model/ids.ts';
import { NO_PUSH_OPTIONS, type PushOptions } from '../model/push-options.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import type { Link } from '../networkio/link.ts';
import { ackV1Limit, MAX_TLS_CHUNK_BYTES } from '../session/control-sizes.ts';
import { sessionWrap } from '../session/control-wraps.ts';
import type { SessionOptions } from '../session/session.ts';
import { segmentLimit } from '../session/tunnel-info.ts';
import type { AuthenticationRequest, AuthenticationVerdict } from '../tlsstate/handshake-step.ts';
import { optionsString } from '../tlsstate/options-string.ts';
import type { PoolAddress } from './address-pool.ts';
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
  readonly peerId: number;
  /** The server's own addresses. */
  readonly gateway: PoolAddress;
  /** The client's; known once `authenticate` has accepted it. */
  readonly address: () => PoolAddress | undefined;
  readonly authenticate: (request: AuthenticationRequest) => Promise<AuthenticationVerdict>;
}

/** What a session in the server role is made from. */
export function serverSessionOptions(
  { link, ids, peerId, gateway, address, authenticate }: AcceptedPeer,
  options: ResolvedServerOptions,
): SessionOptions {
  const { clock, random, keepalive, tunMtu, handWindowMs, tlsTimeoutMs } = options;
  const wrap = sessionWrap(options.wrap, 'server', () => clock.unixSeconds());
  const pushes = pushesOf(options);
  return {
    logger: options.logger,
    events: {},
    settings: {
      ...keepalive,
      wrap: options.wrap,
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
        wrapFor: () => wrap,
      },
      tlsTimeoutMs,
      ackV1Limit: ackV1Limit(options.wrap.kind !== 'none'),
      data: {
        handWindowMs,
        tranWindowMs: TRAN_WINDOW_MS,
        renegSecMs: options.renegSecMs,
        renegBytes: 0,
        renegPackets: 0,
        replayWindow: REPLAY_WINDOW,
      },
      tun: { mtu: tunMtu, maxMss: segmentLimit(tunMtu, SERVER_MSSFIX, link) },
      tls: (arm) => ({
        role: 'server',
        arm,
        random,
        maxChunkBytes: MAX_TLS_CHUNK_BYTES,
        authenticate,
        identity: {
          ca: options.ca,
          cert: options.cert,
          key: options.key,
          tlsVersionMin: options.tlsVersionMin,
          tlsVersionMax: options.tlsVersionMax,
          clientCertificate: options.clientCertificate,
          checks: {
            remoteCertTls: options.clientCertificate === 'required' ? 'client' : undefined,
            verifyX509Name: undefined,
            peerFingerprints: [],
          },
        },
        handshake: {
          optionsString: optionsString({
            role: 'server',
            protocol: link.protocol,
            cipher: undefined,
            auth: 'SHA1',
            tunMtu,
            compression: 'none',
          }),
          dataCiphers: options.dataCiphers,
          dataCiphersFallback: undefined,
          handWindowMs,
          peerId,
          buildPush: ({ cipher, tlsEkm, ccExit, ivProto }) => {
            const own = address();
            if (own === undefined) throw new Error('a push without an address');
            const parts = { tlsEkm, ccExit, ivProto, peerId, pushes, cipher: cipher.name };
            return buildPushReply({ ...parts, server: gateway, address: own });
          },
        },
      }),
    },
  };
}

/** All that the server pushes beside addresses, cipher and what goes with keys. */
export function pushesOf({ keepalive, tunMtu, pushes }: ResolvedServerOptions): string[] {
  const { pingMs, pingRestartMs } = keepalive;
  return [
    ...(tunMtu === DEFAULT_TUN_MTU ? [] : [`tun-mtu ${tunMtu}`]),
    ...(pingMs > 0 ? [`ping ${Math.ceil(pingMs / 1000)}`] : []),
    ...(pingRestartMs > 0 ? [`ping-restart ${Math.ceil(pingRestartMs / 1000)}`] : []),
    ...pushes,
  ];
}

/** The tunnel as the server's session sees it: nothing is pushed to it, keepalive is its own. */
function ownView({ keepalive, tunMtu }: ResolvedServerOptions): PushOptions {
  return { ...NO_PUSH_OPTIONS, ...keepalive, topology: 'subnet', tunMtu, pingExitMs: 0 };
}
