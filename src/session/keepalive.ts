import type { KeepaliveOptions } from '../datachannel/keepalive.ts';
import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';

/** `ping-restart` of a pulling UDP client while nothing else is said (options.c). */
export const DEFAULT_PING_RESTART_MS = 120_000;

/** The keepalive times in force: what was pushed, else the profile's, else OpenVPN's default. */
export function keepaliveOf(
  push: Pick<PushOptions, 'pingMs' | 'pingRestartMs' | 'pingExitMs'>,
  profile: Pick<Profile, 'pingMs' | 'pingRestartMs' | 'pingExitMs'>,
  protocol: 'udp' | 'tcp',
): KeepaliveOptions {
  const fallback = protocol === 'udp' ? DEFAULT_PING_RESTART_MS : 0;
  return {
    pingMs: push.pingMs ?? profile.pingMs,
    pingRestartMs: push.pingRestartMs ?? profile.pingRestartMs ?? fallback,
    pingExitMs: push.pingExitMs ?? profile.pingExitMs,
  };
}
