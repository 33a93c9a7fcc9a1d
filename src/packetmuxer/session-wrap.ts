import { u32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import type { ControlKey } from './control-key.ts';
import { ControlReplay, type ReplayLimits } from './control-replay.ts';
import type { ControlWrap } from './control-wrap.ts';

export interface SessionWrapOptions {
  readonly key: ControlKey;
  /** Our clock: seconds since 1970. */
  readonly unixSeconds: () => number;
  /** Replay id of the first packet. Default: 1; a server whose reset was sent without state: 2. */
  readonly firstPacketId?: number;
  /** `replay-window`. Default: 64 packets, 15 seconds. */
  readonly replayLimits?: ReplayLimits | undefined;
}

/** Replay id of the first packet of a session. */
export const FIRST_PACKET_ID = 1;
const LAST_PACKET_ID = 0xffff_ffff;

/** A key in use by one session: counts what it sends and refuses what it has seen. */
export class SessionWrap implements ControlWrap {
  readonly name: string;
  readonly overheadBytes: number;
  readonly #key: ControlKey;
  readonly #replay: ControlReplay;
  readonly #unixSeconds: () => number;
  #nextPacketId: number;
  #netTime: number | undefined;

  constructor({ key, unixSeconds, firstPacketId, replayLimits }: SessionWrapOptions) {
    this.name = key.name;
    this.overheadBytes = key.overheadBytes;
    this.#key = key;
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
    const at = this.#key.replayIdAt;
    const packetId = u32(packet, at);
    const netTime = u32(packet, at + 4);
    return this.#replay.accept(netTime, packetId, this.#unixSeconds()) ? plain : Drop.REPLAY;
  }
}
