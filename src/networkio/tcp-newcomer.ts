import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Drop } from '../core/machine.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import { type PeerGate, peerName } from './peer-gate.ts';
import { StreamDeframer, StreamFramer } from './stream-framing.ts';
import { StreamLink } from './stream-link.ts';

/** How long an accepted socket may take until the gate accepts its client. Unit: milliseconds. */
export const HALF_OPEN_MS = 10_000;

/** What became of a newcomer. */
export interface NewcomerEvents {
  accepted(
    link: StreamLink,
    ids: SessionIds,
    firstPacket: Buffer,
    memory: Buffer | undefined,
  ): void;
  /** The socket is closed. `drop` is why its packet was refused, if one was. */
  refused(drop: Drop | undefined): void;
}

/**
 * A socket whose client has not passed the gate yet: no session, one buffer, ten seconds, and what
 * the gate wants to see again.
 */
export class TcpNewcomer {
  readonly #socket: Socket;
  readonly #gate: PeerGate;
  readonly #clock: Clock;
  readonly #events: NewcomerEvents;
  readonly #remote: string;
  readonly #deframer = new StreamDeframer();
  readonly #framer = new StreamFramer();
  readonly #cancelTimer: Cancel;
  #memory: Buffer | undefined;
  #done = false;

  constructor(socket: Socket, gate: PeerGate, clock: Clock, events: NewcomerEvents) {
    this.#socket = socket;
    this.#gate = gate;
    this.#clock = clock;
    this.#events = events;
    this.#remote = peerName(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    this.#cancelTimer = clock.setTimer(clock.now() + HALF_OPEN_MS, () => this.refuse());
    socket.on('data', this.#receive);
    socket.on('end', this.#onGone);
    socket.on('close', this.#onGone);
    socket.on('error', this.#onGone);
  }

  /** Closes the socket. May be called twice. */
  refuse(drop?: Drop): void {
    if (this.#done) return;
    this.#leave();
    this.#socket.on('error', () => {});
    this.#socket.destroy();
    this.#events.refused(drop);
  }

  readonly #onGone = (): void => this.refuse();

  readonly #receive = (chunk: Buffer): void => {
    this.#deframer.push(chunk);
    while (!this.#done) {
      const packet = this.#deframer.take();
      if (packet === undefined) break;
      this.#judge(packet);
    }
    if (this.#deframer.failure !== undefined) this.refuse();
  };

  #judge(packet: Buffer): void {
    const verdict = this.#gate.onPacket(packet, this.#remote, this.#clock.now(), this.#memory);
    if (verdict.kind === 'drop') {
      this.refuse(verdict.drop);
    } else if (verdict.kind === 'reply') {
      this.#memory = verdict.memory;
      this.#framer.add(verdict.packet);
      this.#socket.write(this.#framer.flush());
    } else {
      this.#leave();
      this.#socket.pause();
      const link = new StreamLink(this.#socket, { received: { packet, deframer: this.#deframer } });
      this.#events.accepted(link, verdict.ids, packet, verdict.memory);
    }
  }

  #leave(): void {
    this.#done = true;
    this.#cancelTimer();
    this.#socket.off('data', this.#receive);
    this.#socket.off('end', this.#onGone);
    this.#socket.off('close', this.#onGone);
    this.#socket.off('error', this.#onGone);
  }
}
