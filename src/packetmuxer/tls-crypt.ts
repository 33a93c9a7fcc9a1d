import { Drop } from '../core/machine.ts';
import type { Role } from '../model/ids.ts';
import { ControlReplay, type ReplayLimits } from './control-replay.ts';
import type { ControlWrap } from './control-wrap.ts';
import { replayIdOf, TLS_CRYPT_OVERHEAD_BYTES, TlsCryptKey } from './tls-crypt-key.ts';

export interface TlsCryptOptions {
  /** The static key: 256 bytes. Not kept. */
  readonly key: Buffer;
  readonly role: Role;
  /** Our clock: seconds since 1970. */
  readonly unixSeconds: () => number;
  /** Replay id of the first packet. Default: 1; a server whose reset was sent without state: 2. */
  readonly firstPacketId?: number;
  /** `replay-window`. Default: 64 packets, 15 seconds. */
  readonly replayLimits?: ReplayLimits;
}

/** Replay id of the first packet of a session. */
const FIRST_PACKET_ID = 1;
const LAST_PACKET_ID = 0xffff_ffff;

/** tls-crypt for one session: counts what it sends and refuses what it has seen. */
export class TlsCryptWrap implements ControlWrap {
  readonly name = 'tls-crypt';
  readonly overheadBytes: number = TLS_CRYPT_OVERHEAD_BYTES;
  readonly #key: TlsCryptKey;
  readonly #replay: ControlReplay;
  readonly #unixSeconds: () => number;
  #nextPacketId: number;
  #netTime: number | undefined;

  constructor({ key, role, unixSeconds, firstPacketId, replayLimits }: TlsCryptOptions) {
    this.#key = new TlsCryptKey(key, role);
    this.#replay = new ControlReplay(replayLimits);
    this.#unixSeconds = unixSeconds;
    this.#nextPacketId = firstPacketId ?? FIRST_PACKET_ID;
  }

  wrap(plain: Buffer): Buffer {
    this.#netTime ??= this.#unixSeconds();
    if (this.#nextPacketId > LAST_PACKET_ID) {
      // A clock that stood still or went back must not make a pair come twice.
      this.#netTime = Math.max(this.#unixSeconds(), this.#netTime + 1);
      this.#nextPacketId = FIRST_PACKET_ID;
    }
    const packet = this.#key.seal(plain, this.#nextPacketId, this.#netTime);
    this.#nextPacketId += 1;
    return packet;
  }

  unwrap(packet: Buffer): Buffer | Drop {
    const plain = this.#key.open(packet);
    if (typeof plain === 'number') return plain;
    const { packetId, netTime } = replayIdOf(packet);
    return this.#replay.accept(netTime, packetId, this.#unixSeconds()) ? plain : Drop.REPLAY;
  }
}

/**
 * tls-crypt for a server that keeps nothing about its clients yet: what it sends always has replay
 * id 1 (so the session that may follow starts at 2), and replays pass.
 */
export class StatelessTlsCryptWrap implements ControlWrap {
  readonly name = 'tls-crypt';
  readonly overheadBytes: number = TLS_CRYPT_OVERHEAD_BYTES;
  readonly #key: TlsCryptKey;
  readonly #unixSeconds: () => number;

  constructor({ key, unixSeconds }: Pick<TlsCryptOptions, 'key' | 'unixSeconds'>) {
    this.#key = new TlsCryptKey(key, 'server');
    this.#unixSeconds = unixSeconds;
  }

  wrap(plain: Buffer): Buffer {
    return this.#key.seal(plain, FIRST_PACKET_ID, this.#unixSeconds());
  }

  unwrap(packet: Buffer): Buffer | Drop {
    return this.#key.open(packet);
  }
}
