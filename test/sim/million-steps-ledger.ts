import type { Channel } from '../../src/core/channel.ts';
import { numberedPacket } from './numbered-traffic.ts';

const NUMBER_AT = 20;
const BODY_AT = NUMBER_AT + 4;

/** What one end has sent through the data channel, and what of it has come to the other. */
export class DataLedger {
  sent = 0;
  received = 0;
  readonly #tunToData: Channel<Buffer>;
  readonly #dataToTun: Channel<Buffer>;
  readonly #fault: (text: string) => void;
  readonly #seen: Uint8Array;

  /** @param limit how many packets there will be at most */
  constructor(
    { tunToData, dataToTun }: { tunToData: Channel<Buffer>; dataToTun: Channel<Buffer> },
    limit: number,
    fault: (text: string) => void,
  ) {
    this.#tunToData = tunToData;
    this.#dataToTun = dataToTun;
    this.#seen = new Uint8Array(limit);
    this.#fault = fault;
  }

  send(): void {
    if (this.sent < this.#seen.length && this.#tunToData.push(numberedPacket(this.sent))) {
      this.sent += 1;
    }
  }

  /** Looks at everything that has come. */
  read(): void {
    for (;;) {
      const packet = this.#dataToTun.take();
      if (packet === undefined) return;
      const number = packet.length < BODY_AT ? -1 : packet.readUInt32BE(NUMBER_AT);
      if (number < 0 || number >= this.sent) this.#fault(`data: no such packet: ${number}`);
      else if (!packet.equals(numberedPacket(number))) this.#fault(`data: changed: ${number}`);
      else if (this.#seen[number] === 1) this.#fault(`data: twice: ${number}`);
      else this.received += 1;
      if (number >= 0) this.#seen[number] = 1;
    }
  }
}
