import type { ConnectionSettings, LocalEnd } from '../model/profile.ts';
import type { ConnectionDraft } from './connection-draft.ts';
import type { ProfileDraft } from './profile-draft.ts';
import { controlWrapOf } from './read-control-wrap.ts';
import { MSSFIX_FIXED_BYTES } from './read-data-channel.ts';
import { outerProxyOf } from './read-proxies.ts';

/** What `tun-mtu` is without a directive, and the `mssfix` that goes with it. */
const DEFAULT_TUN_MTU = 1500;
const DEFAULT_MSSFIX = 1492;

/** The settings of the profile's own connection, once every directive has been read. */
export function generalSettings(draft: ProfileDraft): ConnectionSettings {
  const { general } = draft;
  return {
    ...plainSettings(general),
    wrap: controlWrapOf(draft, general) ?? { kind: 'none' },
    proxy: outerProxyOf(draft, general),
    local: localEndOf(draft, general),
  };
}

/** What a connection says otherwise than the profile; undefined: nothing. */
export function ownSettings(
  draft: ProfileDraft,
  block: ConnectionDraft,
  general: ConnectionSettings,
): Partial<ConnectionSettings> | undefined {
  const hasOwnProxy = PROXY_FIELDS.some((field) => block[field] !== draft.general[field]);
  const hasOwnLocal = LOCAL_FIELDS.some((field) => block[field] !== draft.general[field]);
  const own: ConnectionSettings = {
    ...plainSettings(block),
    wrap: controlWrapOf(draft, block) ?? general.wrap,
    proxy: hasOwnProxy ? outerProxyOf(draft, block) : general.proxy,
    local: hasOwnLocal ? localEndOf(draft, block) : general.local,
  };
  const different = Object.entries(own).filter(
    ([name, value]) => value !== general[name as keyof ConnectionSettings],
  );
  return different.length === 0 ? undefined : Object.freeze(Object.fromEntries(different));
}

const PROXY_FIELDS = ['httpProxy', 'httpHeaders', 'httpCredentials', 'socksProxy'] as const;
const LOCAL_FIELDS = ['localAddress', 'localPort', 'bind', 'nobind'] as const;

function plainSettings(
  connection: ConnectionDraft,
): Omit<ConnectionSettings, 'wrap' | 'proxy' | 'local'> {
  return {
    float: connection.float,
    tunMtu: connection.tunMtu,
    mssfix: connection.mssfix ?? defaultMssfix(connection),
    fragment: connection.fragment?.value ?? 0,
    explicitExitNotify: connection.explicitExitNotify,
    serverPollTimeoutMs: connection.serverPollTimeoutMs,
    connectRetry: connection.connectRetry,
  };
}

/** `fragment` sets it too; for an MTU of one's own it lets whole packets through. */
function defaultMssfix({ fragment, tunMtu }: ConnectionDraft): number {
  if (fragment !== undefined) return fragment.value;
  return tunMtu === DEFAULT_TUN_MTU ? DEFAULT_MSSFIX : tunMtu + MSSFIX_FIXED_BYTES;
}

/** A client has no port of its own unless a directive asks for one. */
function localEndOf(
  draft: ProfileDraft,
  { bind, nobind, localAddress, localPort }: ConnectionDraft,
): LocalEnd | undefined {
  if (bind === undefined) return undefined;
  if (nobind !== undefined) {
    draft.ignore(bind, 'warn', 'nobind takes it back');
    return undefined;
  }
  return Object.freeze({ address: localAddress, port: localPort });
}
