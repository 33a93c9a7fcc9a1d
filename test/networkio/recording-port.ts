import type { LinkPort } from '../../src/networkio/link.ts';

/** A port that keeps what a link tells it. `room` says how many more packets it takes. */
export class RecordingPort implements LinkPort {
  readonly packets: Buffer[] = [];
  readonly errors: Error[] = [];
  drains = 0;
  room: number = Number.POSITIVE_INFINITY;

  receive(packet: Buffer): boolean {
    if (this.room <= 0) return false;
    this.room -= 1;
    this.packets.push(packet);
    return true;
  }

  drained(): void {
    this.drains += 1;
  }

  ended(error: Error): void {
    this.errors.push(error);
  }

  /** `error.code` of the link's end; undefined while it lives. */
  get endCode(): string | undefined {
    const [error] = this.errors;
    return error === undefined ? undefined : (error as Error & { code?: string }).code;
  }
}
