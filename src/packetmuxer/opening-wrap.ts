import { EMPTY } from '../core/bytes.ts';
import type { Drop } from '../core/machine.ts';
import { Opcode } from '../model/opcode.ts';
import { type ControlWrap, plainWrap } from './control-wrap.ts';
import { resetOpcodeFor } from './route.ts';

/** A packet of a client without a session, once it has proved authentic. */
export interface OpenedPacket {
  readonly plain: Buffer;
  /** Protects the answer. Has no memory. */
  readonly wrap: ControlWrap;
  /** What has to come along with the client's next packet, and with its session. */
  readonly memory: Buffer | undefined;
}

/** How a server opens the packets of clients of which it knows nothing. Has no memory of them. */
export interface OpeningWrap {
  /** With which opcode a client begins. */
  readonly resetOpcode: Opcode;
  /** With which ones it may complete the opening. */
  readonly completingOpcodes: ReadonlySet<number>;
  /** The most by which a packet is longer than its plain form. Unit: bytes. */
  readonly overheadBytes: number;
  /** Payload of the answer to a reset. */
  readonly answerPayload: Buffer;
  /** @param memory of the client's packet before this one, where the transport could keep it */
  open(packet: Buffer, memory: Buffer | undefined): OpenedPacket | Drop;
}

/** What completes an opening where the server knows the client's key by then. */
export const COMPLETING_OPCODES: ReadonlySet<number> = new Set<Opcode>([
  Opcode.P_CONTROL_V1,
  Opcode.P_ACK_V1,
]);

/** A wrap that all clients share: none, tls-auth, tls-crypt. */
export class SharedOpeningWrap implements OpeningWrap {
  readonly resetOpcode: Opcode = resetOpcodeFor(plainWrap.name);
  readonly completingOpcodes: ReadonlySet<number> = COMPLETING_OPCODES;
  readonly overheadBytes: number;
  readonly answerPayload: Buffer = EMPTY;
  readonly #wrap: ControlWrap;

  /** @param wrap one without memory */
  constructor(wrap: ControlWrap) {
    this.overheadBytes = wrap.overheadBytes;
    this.#wrap = wrap;
  }

  open(packet: Buffer): OpenedPacket | Drop {
    const plain = this.#wrap.unwrap(packet);
    return typeof plain === 'number' ? plain : { plain, wrap: this.#wrap, memory: undefined };
  }
}
