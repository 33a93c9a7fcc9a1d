import type { Link, LinkPort } from './link.ts';
import type { Scrambler } from './scrambler.ts';

/** A {@link Link} whose packets are disguised on their way. It owns the link below. */
export class ScrambleLink implements Link {
  readonly #link: Link;
  readonly #scrambler: Scrambler;

  constructor(link: Link, scrambler: Scrambler) {
    this.#link = link;
    this.#scrambler = scrambler;
  }

  get protocol(): Link['protocol'] {
    return this.#link.protocol;
  }

  get localAddress(): string {
    return this.#link.localAddress;
  }

  get localPort(): number {
    return this.#link.localPort;
  }

  get remoteAddress(): string {
    return this.#link.remoteAddress;
  }

  get remotePort(): number {
    return this.#link.remotePort;
  }

  get bytesRead(): number {
    return this.#link.bytesRead;
  }

  get bytesWritten(): number {
    return this.#link.bytesWritten;
  }

  get overflows(): number {
    return this.#link.overflows;
  }

  get writable(): boolean {
    return this.#link.writable;
  }

  open(port: LinkPort): void {
    this.#link.open(new ScramblePort(port, this.#scrambler));
  }

  /** Sends a copy: whoever traces packets may still have this one. */
  send(packet: Buffer): void {
    const scrambled = Buffer.from(packet);
    this.#scrambler.scramble(scrambled);
    this.#link.send(scrambled);
  }

  resume(): void {
    this.#link.resume();
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  ref(): void {
    this.#link.ref?.();
  }

  unref(): void {
    this.#link.unref?.();
  }
}

class ScramblePort implements LinkPort {
  readonly #port: LinkPort;
  readonly #scrambler: Scrambler;
  /** The packet that there was no room for: a stream brings it once more, undisguised already. */
  #refused: Buffer | undefined;

  constructor(port: LinkPort, scrambler: Scrambler) {
    this.#port = port;
    this.#scrambler = scrambler;
  }

  receive(packet: Buffer): boolean {
    if (packet !== this.#refused) this.#scrambler.unscramble(packet);
    const taken = this.#port.receive(packet);
    this.#refused = taken ? undefined : packet;
    return taken;
  }

  drained(): void {
    this.#port.drained();
  }

  ended(error: Error): void {
    this.#port.ended(error);
  }
}
