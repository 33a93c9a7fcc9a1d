import type { Secret } from '../core/secret.ts';
import type { ControlWrapOptions } from '../model/control-wrap-options.ts';
import type { OuterProxy, StoredCredentials } from '../model/profile.ts';
import type { Directive } from './ovpn-tokens.ts';

/** OpenVPN's port, at both ends. */
export const DEFAULT_PORT = 1194;

/** How a remote is reached. */
export interface Transport {
  readonly protocol: 'udp' | 'tcp';
  readonly family: 0 | 4 | 6;
}

/** A value, and the directive that set it. */
export interface Said<T> {
  readonly directive: Directive;
  readonly value: T;
}

/** `http-proxy`, before `http-proxy-option` and `http-proxy-user-pass` have been looked at. */
export interface HttpProxyDraft {
  readonly host: string;
  readonly port: number;
  /** undefined: nothing was said, so other directives decide. */
  readonly auth: OuterProxy['auth'] | undefined;
  readonly credentials: StoredCredentials | undefined;
}

/**
 * What a profile says about its connections in general, or one `<connection>` block about its own.
 * The same readers fill both in; a block begins as a copy of what stood before it. Values are
 * replaced, never changed, so that copies may share them.
 */
export interface ConnectionDraft {
  /** The remote of a block; the profile's own are a list. */
  host: string | undefined;
  port: number;
  transport: Transport;
  localAddress: string | undefined;
  localPort: number;
  /** The last directive that asks for a local end; of `nobind`, which takes that back. */
  bind: Directive | undefined;
  nobind: Directive | undefined;
  float: boolean;
  httpProxy: Said<HttpProxyDraft> | undefined;
  httpHeaders: OuterProxy['headers'];
  httpCredentials: StoredCredentials | undefined;
  socksProxy: Said<OuterProxy> | undefined;
  tunMtu: number;
  /** undefined: follows from `fragment` and `tun-mtu`. */
  mssfix: number | undefined;
  fragment: Said<number> | undefined;
  explicitExitNotify: number | undefined;
  serverPollTimeoutMs: number;
  connectRetry: { readonly firstMs: number; readonly maxMs: number };
  /** Directives that name a control wrap, in order. */
  wraps: readonly Directive[];
  tlsAuthKey: Secret<Buffer> | undefined;
  /** tls-crypt or tls-crypt-v2, once its key has been read. */
  encryptingWrap: ControlWrapOptions | undefined;
  /** The last word about `key-direction`, of `tls-auth` or its own. */
  keyDirection: Said<0 | 1> | undefined;
}

/** OpenVPN's defaults. */
export function newConnection(): ConnectionDraft {
  return {
    host: undefined,
    port: DEFAULT_PORT,
    transport: { protocol: 'udp', family: 0 },
    localAddress: undefined,
    localPort: DEFAULT_PORT,
    bind: undefined,
    nobind: undefined,
    float: false,
    httpProxy: undefined,
    httpHeaders: [],
    httpCredentials: undefined,
    socksProxy: undefined,
    tunMtu: 1500,
    mssfix: undefined,
    fragment: undefined,
    explicitExitNotify: undefined,
    serverPollTimeoutMs: 120_000,
    connectRetry: Object.freeze({ firstMs: 1_000, maxMs: 300_000 }),
    wraps: [],
    tlsAuthKey: undefined,
    encryptingWrap: undefined,
    keyDirection: undefined,
  };
}

/** A block's beginning: everything of `general` but the control wrap, which a block has whole or not. */
export function connectionWithin(general: ConnectionDraft): ConnectionDraft {
  const { wraps, tlsAuthKey, encryptingWrap, keyDirection } = newConnection();
  return { ...general, wraps, tlsAuthKey, encryptingWrap, keyDirection };
}
