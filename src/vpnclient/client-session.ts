import { release } from 'node:os';
import { PulledOptions } from '../config/pulled-options.ts';
import { VERSION } from '../core/version.ts';
import { SESSION_ID_BYTES, sessionIdOf } from '../model/ids.ts';
import type { Link } from '../networkio/link.ts';
import { ackV1Limit, firstTlsChunkBytes, MAX_TLS_CHUNK_BYTES } from '../session/control-sizes.ts';
import { ControlWraps } from '../session/control-wraps.ts';
import type { SessionOptions } from '../session/session.ts';
import { optionsString } from '../tlsstate/options-string.ts';
import { announcedIvProto, clientPeerInfo } from '../tlsstate/peer-info.ts';
import type { ConnectRequest } from './connect-session.ts';
import { ownPeerInfo } from './own-peer-info.ts';
import { shapedLink } from './scramble.ts';
import { ServerTexts } from './server-texts.ts';

/** Largest `tun-mtu` that a server may push (OpenVPN's `tun-mtu-max`). */
const MAX_PUSHED_MTU = 1600;

/** What a session in the client role is made from. */
export function clientSessionOptions(
  link: Link,
  {
    profile,
    options,
    signIn,
    signal,
    stage,
    emit,
    asked = () => {},
  }: Omit<ConnectRequest, 'opened'>,
): SessionOptions {
  const { clock, random, tracer, logger } = options;
  const { wrap, dataCiphers, dataCiphersFallback } = profile;
  const wraps = new ControlWraps({
    wrap,
    role: 'client',
    unixSeconds: () => clock.unixSeconds(),
    replayLimits: profile.replayWindow,
  });
  const ivProto = announcedIvProto(options.ivProto, dataCiphers);
  const pulled = new PulledOptions(profile);
  const localOptions = optionsString({
    role: 'client',
    protocol: link.protocol,
    cipher: profile.cipher ?? dataCiphersFallback,
    dataCiphers,
    wrap,
    auth: profile.auth,
    tunMtu: profile.tunMtu,
    compression: profile.compression,
    fragments: profile.fragment > 0,
  });
  const texts = new ServerTexts({ profile, signIn, clock, logger, signal, asked });
  return {
    settings: profile,
    wraps,
    logger,
    events: {
      state: (state, keyId) => {
        if (state === 'S_SENT_KEY') signIn.sent();
        if (keyId !== 0) return;
        if (state === 'S_ACTIVE') signIn.asking.cancel();
        stage('negotiating', state);
      },
      pushed: (push) => {
        emit('push', push);
        for (const text of push.echoes) emit('echo', Object.freeze({ text }));
      },
      updated: (info) => emit('updated', info),
      rekeyed: (keyId) => emit('rekey', Object.freeze({ keyId })),
      message: (message, reply) => texts.take(message, reply),
    },
    stack: {
      role: 'client',
      link: shapedLink(link, profile),
      clock,
      tracer,
      muxer: {
        role: 'client',
        localSessionId: sessionIdOf(random.bytes(SESSION_ID_BYTES)),
        tlsTimeoutMs: profile.tlsTimeoutMs,
        wrapFor: (keyId) => wraps.forKey(keyId),
      },
      tlsTimeoutMs: profile.tlsTimeoutMs,
      ackV1Limit: ackV1Limit(wrap.kind !== 'none'),
      data: { ...profile, optionsString: localOptions },
      cipherProvider: options.cipherProvider,
      tun: { mtu: profile.tunMtu, maxMss: 0 },
      tls: (arm) => ({
        role: 'client',
        arm,
        random,
        maxChunkBytes: MAX_TLS_CHUNK_BYTES,
        firstChunkBytes: firstTlsChunkBytes(wrap),
        identity: { ...profile, checks: profile, clientCertificate: 'required' },
        held: signIn.held,
        credentials: () => signIn.credentials(),
        handshake: {
          ...profile,
          optionsString: localOptions,
          ivProto,
          peerInfo: clientPeerInfo({
            version: VERSION,
            platform: process.platform,
            maxTunMtu: MAX_PUSHED_MTU,
            dataCiphers,
            ivProto,
            decompresses: profile.allowDecompression,
            extra: ownPeerInfo(profile, {
              platformVersion: release(),
              opensslVersion: process.versions.openssl,
              canAnswer: signIn.asking.canAnswer,
            }),
          }),
          readPush: pulled.reply,
          readUpdate: pulled.update,
        },
      }),
    },
  };
}
