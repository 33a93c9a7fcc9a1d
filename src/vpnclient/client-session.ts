import { readPushOptions } from '../config/push-reply.ts';
import { OvpnAuthError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import { Secret } from '../core/secret.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { VERSION } from '../core/version.ts';
import type { Credentials } from '../model/credentials.ts';
import { SESSION_ID_BYTES, sessionIdOf } from '../model/ids.ts';
import type { Profile } from '../model/profile.ts';
import type { Link } from '../networkio/link.ts';
import { ackV1Limit, firstTlsChunkBytes, MAX_TLS_CHUNK_BYTES } from '../session/control-sizes.ts';
import { ControlWraps } from '../session/control-wraps.ts';
import type { SessionOptions } from '../session/session.ts';
import type { ControlMessage } from '../tlsstate/control-message.ts';
import type { KeyExchangeCredentials } from '../tlsstate/handshake.ts';
import { optionsString } from '../tlsstate/options-string.ts';
import { announcedIvProto, clientPeerInfo } from '../tlsstate/peer-info.ts';
import type { ConnectRequest } from './connect-session.ts';

/** Largest `tun-mtu` that a server may push (OpenVPN's `tun-mtu-max`). */
const MAX_PUSHED_MTU = 1600;

/** Most texts of a server that are shown or announced in a second; the others are lost. */
export const SERVER_TEXTS_PER_SECOND = 5;

/** What a session in the client role is made from. */
export function clientSessionOptions(
  link: Link,
  { profile, options, stage, emit }: Omit<ConnectRequest, 'opened'>,
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
  const texts = new TokenBucket(SERVER_TEXTS_PER_SECOND);
  return {
    settings: profile,
    wraps,
    logger,
    events: {
      state: (state, keyId) => keyId === 0 && stage('negotiating', state),
      pushed: (push) => emit('push', push),
      rekeyed: (keyId) => emit('rekey', Object.freeze({ keyId })),
      message: (message) => {
        if (!texts.take(clock.now())) return;
        const challenge = challengeText(message);
        if (challenge !== undefined) {
          emit('challenge', Object.freeze({ text: printable(challenge) }));
        } else if (message.kind === 'info') {
          logger('info', 'tlsstate', `the server says: ${printable(message.text)}`);
        }
      },
    },
    stack: {
      role: 'client',
      link,
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
      data: profile,
      cipherProvider: options.cipherProvider,
      tun: { mtu: profile.tunMtu, maxMss: 0 },
      tls: (arm) => ({
        role: 'client',
        arm,
        random,
        maxChunkBytes: MAX_TLS_CHUNK_BYTES,
        firstChunkBytes: firstTlsChunkBytes(wrap),
        identity: { ...profile, checks: profile, clientCertificate: 'required' },
        credentials: () => keyExchangeCredentials(profile, options.credentials),
        handshake: {
          ...profile,
          optionsString: optionsString({
            role: 'client',
            protocol: link.protocol,
            cipher: profile.cipher ?? dataCiphersFallback,
            dataCiphers,
            wrap,
            auth: profile.auth,
            tunMtu: profile.tunMtu,
            compression: profile.compression,
          }),
          ivProto,
          peerInfo: clientPeerInfo({
            version: VERSION,
            platform: process.platform,
            maxTunMtu: MAX_PUSHED_MTU,
            dataCiphers,
            ivProto,
            extra: profile.peerInfo,
          }),
          readPush: readPushOptions,
        },
      }),
    },
  };
}

/** What the server asks the user, where `message` is a question. */
function challengeText(message: ControlMessage): string | undefined {
  if (message.kind === 'info-pre') return message.text;
  return message.kind === 'auth-failed' ? message.challenge?.text : undefined;
}

/** @throws OvpnAuthError when the profile asks for a password and nobody has one */
export function requireCredentials(profile: Profile, credentials: Credentials | undefined): void {
  const { authUserPass } = profile;
  if (authUserPass === undefined || credentials !== undefined) return;
  if (authUserPass.username !== undefined && authUserPass.password !== undefined) return;
  throw new OvpnAuthError(
    'OVPN_CREDENTIALS_MISSING',
    'expected a user name and a password, which the profile asks for by auth-user-pass: give `credentials` (on the command line --auth-user-pass FILE)',
    { layer: 'vpnclient', initiator: 'user' },
  );
}

/** The caller's credentials, else the profile's, else none. */
async function keyExchangeCredentials(
  { authUserPass }: Profile,
  credentials: Credentials | undefined,
): Promise<KeyExchangeCredentials | undefined> {
  if (credentials === undefined) {
    const { username, password } = authUserPass ?? {};
    return username === undefined || password === undefined ? undefined : { username, password };
  }
  const { username, password } =
    typeof credentials === 'function'
      ? await credentials({ kind: 'user-password', prompt: undefined })
      : credentials;
  return { username, password: new Secret(password) };
}
