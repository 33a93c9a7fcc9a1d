import { u8 } from '../core/bytes.ts';
import { DROP_NAMES, type Drop, type Millis } from '../core/machine.ts';
import type { NegotiationState } from '../model/negotiation-state.ts';
import { keyIdOf, Opcode, opcodeName, opcodeOf } from '../model/opcode.ts';
import type { ControlPacket } from '../model/packet.ts';
import type { Tracer } from '../model/tracer.ts';

/** Most events that a trace keeps; later ones are counted only. */
export const MAX_TRACE_EVENTS = 10_000;

/** The packet of an event. */
export interface TracePacket {
  readonly operation: 'read' | 'write';
  /** `P_CONTROL_V1` and the like. */
  readonly opcode: string;
  /** The message id; null for a packet that has none or whose id is not known. */
  readonly id: number | null;
  /** Message ids that it acknowledges. */
  readonly acks: readonly number[];
  /** Unit: bytes. Of a dropped packet: all of it. */
  readonly payload_size: number;
  /** 1 for the first sending; 0 for packets that came in. */
  readonly send_attempts: number;
}

/** One event, with the field names of minivpn's traces. */
export interface TraceEvent {
  readonly operation: 'state' | 'packet_in' | 'packet_out' | 'packet_dropped';
  /** The negotiation state at that time. */
  readonly stage: NegotiationState;
  /** Seconds since the trace began, to the microsecond. */
  readonly t: number;
  /** What is known beside: `client_hello`, `server_hello`, `key-1`, a reason for dropping. */
  readonly tags: readonly string[];
  readonly packet: TracePacket | null;
}

export interface HandshakeTraceOptions {
  /** When the trace begins, on the session's clock. Default: at the first event. */
  readonly startedAt?: Millis;
  /** Gets each event that is kept, as it happens. Must not throw. */
  readonly onEvent?: (event: TraceEvent) => void;
}

/** Keeps what a handshake does: states, control packets both ways, refused packets. */
export class HandshakeTrace implements Tracer {
  readonly #events: TraceEvent[] = [];
  readonly #onEvent: ((event: TraceEvent) => void) | undefined;
  #startedAt: Millis | undefined;
  #stage: NegotiationState = 'S_INITIAL';
  #omitted = 0;

  constructor({ startedAt, onEvent }: HandshakeTraceOptions = {}) {
    this.#startedAt = startedAt;
    this.#onEvent = onEvent;
  }

  /** The events so far, oldest first. */
  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  /** How many events came after the trace was full. */
  get omitted(): number {
    return this.#omitted;
  }

  toJSON(): readonly TraceEvent[] {
    return this.#events;
  }

  stateChanged(state: NegotiationState, keyId: number, now: Millis): void {
    this.#stage = state;
    this.#add('state', keyTags(keyId), null, now);
  }

  controlIn(packet: ControlPacket, now: Millis): void {
    this.#add('packet_in', packetTags(packet), tracePacket(packet, 'read'), now);
  }

  controlOut(packet: ControlPacket, now: Millis): void {
    this.#add('packet_out', packetTags(packet), tracePacket(packet, 'write'), now);
  }

  dropped(layer: string, reason: Drop, byte0: number, size: number, now: Millis): void {
    const tags = [layer, DROP_NAMES[reason] ?? 'none', ...keyTags(byte0 < 0 ? 0 : keyIdOf(byte0))];
    const packet: TracePacket = {
      operation: 'read',
      opcode: byte0 < 0 ? 'P_NONE' : opcodeName(opcodeOf(byte0)),
      id: null,
      acks: [],
      payload_size: size,
      send_attempts: 0,
    };
    this.#add('packet_dropped', tags, packet, now);
  }

  #add(
    operation: TraceEvent['operation'],
    tags: readonly string[],
    packet: TracePacket | null,
    now: Millis,
  ): void {
    if (this.#events.length >= MAX_TRACE_EVENTS) {
      this.#omitted += 1;
      return;
    }
    this.#startedAt ??= now;
    const t = Math.round((now - this.#startedAt) * 1000) / 1_000_000;
    const event: TraceEvent = { operation, stage: this.#stage, t, tags, packet };
    this.#events.push(event);
    this.#onEvent?.(event);
  }
}

function tracePacket(packet: ControlPacket, operation: TracePacket['operation']): TracePacket {
  return {
    operation,
    opcode: opcodeName(packet.opcode),
    id: packet.hasPacketId ? packet.packetId : null,
    acks: [...packet.ackedPacketIds],
    payload_size: packet.payload.length,
    send_attempts: packet.sendAttempts,
  };
}

/** Key id 0 is the session's first key and goes without saying. */
function keyTags(keyId: number): string[] {
  return keyId === 0 ? [] : [`key-${keyId}`];
}

function packetTags(packet: ControlPacket): string[] {
  const hello = packet.opcode === Opcode.P_CONTROL_V1 ? helloTag(packet.payload) : undefined;
  return hello === undefined ? keyTags(packet.keyId) : [hello, ...keyTags(packet.keyId)];
}

/** A payload that begins with a TLS handshake record (RFC 8446 §5.1) and a hello in it (§4). */
function helloTag(payload: Buffer): string | undefined {
  if (payload.length < 6 || u8(payload, 0) !== TLS_HANDSHAKE || u8(payload, 1) !== 3) {
    return undefined;
  }
  const kind = u8(payload, 5);
  if (kind === CLIENT_HELLO) return 'client_hello';
  return kind === SERVER_HELLO ? 'server_hello' : undefined;
}

const TLS_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
