import { isData, keyIdOf, Opcode, opcodeOf } from '../../src/model/opcode.ts';
import {
  CLEAR_HEADER_BYTES,
  decodeControlPacket,
} from '../../src/packetmuxer/control-packet-codec.ts';
import { POISON_RUN } from './poisoned-link.ts';

/** Looks at every datagram of a client's address and its server: whose is it, and what is in it? */
export class StormWire {
  packets = 0;
  /** What must not be there. */
  readonly faults: string[] = [];
  /** Whether acknowledgements can be read: nothing protects control packets of key id 0. */
  readonly #plain: boolean;
  /** Session id of each client, in order. */
  readonly #clients = new Map<number, string>();
  readonly #offered = new Set<string>();
  /** Session ids of the server's sessions, in the order in which they began to speak. */
  readonly #servers: string[] = [];
  /** Whom a session was seen to acknowledge. */
  readonly #partners = new Map<string, string>();

  constructor({ plain }: { plain: boolean }) {
    this.#plain = plain;
  }

  /** How many server sessions have said anything. */
  get serverSessions(): number {
    return this.#servers.length;
  }

  /** A datagram that client number `client` sends. */
  fromClient(client: number, datagram: Buffer): void {
    const sender = this.#senderOf(datagram);
    if (sender === undefined) return;
    const known = this.#clients.get(client);
    if (known === undefined && [...this.#clients.values()].includes(sender)) {
      this.faults.push(`client ${client} begins with the session id of another`);
    } else if (known !== undefined && known !== sender) {
      this.faults.push(`client ${client} sends a foreign session id`);
    }
    this.#clients.set(client, sender);
    this.#checkPartner(sender, datagram, this.#offered);
  }

  /** A datagram that the server sends, of whichever session. */
  fromServer(datagram: Buffer): void {
    const sender = this.#senderOf(datagram);
    if (sender === undefined) return;
    if (opcodeOf(datagram.readUInt8(0)) === Opcode.P_CONTROL_HARD_RESET_SERVER_V2) {
      this.#offered.add(sender);
    } else if (!this.#offered.has(sender)) {
      this.faults.push('the server sends a session id that it has not offered');
    } else if (!this.#servers.includes(sender)) {
      this.#servers.push(sender);
    } else if (this.#servers.at(-1) !== sender) {
      this.faults.push('a session of the server speaks after its successor');
    }
    this.#checkPartner(sender, datagram, new Set(this.#clients.values()));
  }

  /** In clear under every wrap; undefined for data packets, which have none. */
  #senderOf(datagram: Buffer): string | undefined {
    this.packets += 1;
    if (datagram.includes(POISON_RUN)) this.faults.push(`poison: ${datagram.toString('hex')}`);
    if (isData(opcodeOf(datagram.readUInt8(0)))) return undefined;
    return datagram.toString('hex', 1, CLEAR_HEADER_BYTES);
  }

  #checkPartner(sender: string, datagram: Buffer, possible: ReadonlySet<string>): void {
    if (!this.#plain || keyIdOf(datagram.readUInt8(0)) !== 0) return;
    const packet = decodeControlPacket(datagram);
    if (typeof packet === 'number') {
      this.faults.push(`a control packet that nobody can read: ${datagram.toString('hex')}`);
      return;
    }
    const partner = packet.remoteSessionId?.toString('hex');
    if (partner === undefined) return;
    const known = this.#partners.get(sender) ?? partner;
    this.#partners.set(sender, known);
    if (known !== partner || !possible.has(partner)) {
      this.faults.push('an acknowledgement for a foreign session');
    }
  }
}
