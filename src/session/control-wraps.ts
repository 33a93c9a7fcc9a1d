import type { ControlWrapOptions } from '../model/control-wrap-options.ts';
import type { Role } from '../model/ids.ts';
import type { ReplayLimits } from '../packetmuxer/control-replay.ts';
import { type ControlWrap, plainWrap } from '../packetmuxer/control-wrap.ts';
import { dynamicTlsCryptKey } from '../packetmuxer/dynamic-tls-crypt.ts';
import { SessionWrap } from '../packetmuxer/session-wrap.ts';
import { StatelessWrap } from '../packetmuxer/stateless-wrap.ts';
import { TlsAuthKey } from '../packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../packetmuxer/tls-crypt-key.ts';
import { TlsCryptV2ClientWrap, TlsCryptV2ServerWrap } from '../packetmuxer/tls-crypt-v2-wraps.ts';

/** Replay id with which a server's session goes on: its reset had id 1 and left no state. */
const AFTER_STATELESS_RESET = 2;

export interface ControlWrapsOptions {
  readonly wrap: ControlWrapOptions;
  readonly role: Role;
  /** Our clock: seconds since 1970. */
  readonly unixSeconds: () => number;
  /** `replay-window`. Default: 64 packets, 15 seconds. */
  readonly replayLimits?: ReplayLimits | undefined;
}

/**
 * The control wraps of one session:
 *
 *     key id 0        the one of the profile
 *     key ids 1 … 7   none until key id 0 has settled; then dynamic tls-crypt, one wrap for all of
 *                     them, if that was agreed, else the one of the profile
 */
export class ControlWraps {
  readonly #options: ControlWrapsOptions;
  readonly #opening: ControlWrap;
  #renegotiations: ControlWrap | undefined;

  constructor(options: ControlWrapsOptions) {
    this.#options = options;
    this.#opening = sessionWrap(options);
  }

  /** The wrap of a key id's packets; undefined where nothing genuine can come yet. */
  forKey(keyId: number): ControlWrap | undefined {
    return keyId === 0 ? this.#opening : this.#renegotiations;
  }

  /**
   * Key id 0 has settled. Called once.
   *
   * @param exported the 256 bytes for dynamic tls-crypt, where that was agreed; overwritten
   */
  settle(exported: Buffer | undefined): void {
    if (this.#renegotiations !== undefined) throw new Error('control wraps settled twice');
    this.#renegotiations = exported === undefined ? this.#opening : this.#dynamicWrap(exported);
  }

  #dynamicWrap(exported: Buffer): ControlWrap {
    const { wrap, role, unixSeconds, replayLimits } = this.#options;
    const staticKey = wrap.kind === 'none' ? undefined : wrap.key.reveal();
    const key = dynamicTlsCryptKey(exported, staticKey, role);
    return new SessionWrap({ key, unixSeconds, replayLimits });
  }
}

/** The wrap of a server's answers to strangers: without memory of any of them. */
export function statelessWrap(
  wrap: Exclude<ControlWrapOptions, { kind: 'tls-crypt-v2' }>,
  unixSeconds: () => number,
): ControlWrap {
  return wrap.kind === 'none'
    ? plainWrap
    : new StatelessWrap({ key: keyOf(wrap, 'server'), unixSeconds });
}

function sessionWrap({ wrap, role, unixSeconds, replayLimits }: ControlWrapsOptions): ControlWrap {
  if (wrap.kind === 'none') return plainWrap;
  const memory = { unixSeconds, replayLimits };
  const serverMemory = { ...memory, firstPacketId: AFTER_STATELESS_RESET };
  if (wrap.kind !== 'tls-crypt-v2') {
    const key = keyOf(wrap, role);
    return new SessionWrap({ key, ...(role === 'client' ? memory : serverMemory) });
  }
  const key = wrap.key.reveal();
  return role === 'client'
    ? new TlsCryptV2ClientWrap({ key, wrappedKey: wrap.wrappedKey, ...memory })
    : new TlsCryptV2ServerWrap({ key, ...serverMemory });
}

type SharedKeyOptions = Exclude<ControlWrapOptions, { kind: 'none' | 'tls-crypt-v2' }>;

function keyOf(wrap: SharedKeyOptions, role: Role): TlsAuthKey | TlsCryptKey {
  const key = wrap.key.reveal();
  return wrap.kind === 'tls-auth'
    ? new TlsAuthKey({ key, direction: wrap.direction, digest: wrap.digest })
    : new TlsCryptKey(key, role);
}
