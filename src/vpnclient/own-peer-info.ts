import type { Profile } from '../model/profile.ts';

/** What a client knows about itself beside its profile. */
export interface OwnFacts {
  /** Of the operating system, as `os.release()` tells it. */
  readonly platformVersion: string;
  /** Of OpenSSL, as `process.versions` tells it. */
  readonly opensslVersion: string;
  /** Whether somebody can answer what a server asks while it waits. */
  readonly canAnswer: boolean;
}

/**
 * Peer info beside what every client says, in OpenVPN's order: with `push-peer-info` the versions of
 * TLS library and system and what the profile sets (`UV_*`, `IV_HWADDR`: a hardware address is never
 * looked up), without it only the user interface's name; and which questions can be answered.
 */
export function ownPeerInfo(
  { peerInfo, pushPeerInfo }: Pick<Profile, 'peerInfo' | 'pushPeerInfo'>,
  { platformVersion, opensslVersion, canAnswer }: OwnFacts,
): readonly (readonly [name: string, value: string])[] {
  const told = peerInfo.filter(([name]) => pushPeerInfo || name === 'IV_GUI_VER');
  const setsVersion = told.some(([name]) => name === 'IV_PLAT_VER');
  const lines: (readonly [string, string])[] = [];
  if (pushPeerInfo) {
    lines.push(['IV_SSL', `OpenSSL ${opensslVersion}`]);
    if (!setsVersion) lines.push(['IV_PLAT_VER', platformVersion]);
  }
  lines.push(...told);
  if (canAnswer) lines.push(['IV_SSO', 'webauth,crtext']);
  return lines;
}
