interface Entry {
  start: number;
  readonly end: number;
  sentAt: number;
  mark: 'out' | 'lost' | 'sacked';
}

/** What `Flight` does, as a list that is searched each time. Numbers are distances. */
export class FlightModel {
  #entries: Entry[] = [];
  end = 0;

  get start(): number {
    return this.#entries[0]?.start ?? this.end;
  }

  push(bytes: number, now: number): void {
    this.#entries.push({ start: this.end, end: this.end + bytes, sentAt: now, mark: 'out' });
    this.end += bytes;
  }

  /** Returns what is news of it. */
  acknowledge(upTo: number): number {
    let news = 0;
    for (const entry of this.#entries) {
      const covered = Math.min(entry.end, upTo) - entry.start;
      if (covered > 0 && entry.mark !== 'sacked') news += covered;
      entry.start = Math.max(entry.start, upTo);
    }
    this.#entries = this.#entries.filter((entry) => entry.end > upTo);
    return news;
  }

  /** Returns what is news of it. */
  sack(from: number, to: number): number {
    let news = 0;
    for (const entry of this.#entries) {
      if (entry.start < from || entry.end > to || entry.mark === 'sacked') continue;
      entry.mark = 'sacked';
      news += entry.end - entry.start;
    }
    return news;
  }

  overtaken(sentAt: number, allowance: number, now: number): void {
    for (const entry of this.#entries) {
      const before = entry.sentAt < sentAt || (entry.sentAt === sentAt && entry.end < this.end);
      if (entry.mark === 'out' && before && entry.sentAt + allowance <= now) entry.mark = 'lost';
    }
  }

  timeout(allowance: number, now: number): void {
    for (const [index, entry] of this.#entries.entries()) {
      const old = entry.sentAt + allowance <= now;
      if (index === 0 || old || entry.mark === 'sacked') entry.mark = 'lost';
    }
  }

  loseFirst(): void {
    for (const entry of this.#entries.slice(0, 1)) entry.mark = 'lost';
  }

  loseAll(): void {
    for (const entry of this.#entries) entry.mark = 'lost';
  }

  undo(): void {
    for (const entry of this.#entries) if (entry.mark === 'lost') entry.mark = 'out';
  }

  nextLost(): number {
    return this.#entries.findIndex((entry) => entry.mark === 'lost');
  }

  resend(index: number, now: number): void {
    for (const entry of this.#entries.slice(index, index + 1)) {
      if (index < 0) continue;
      entry.mark = 'out';
      entry.sentAt = now;
    }
  }

  totals() {
    const bytes = (mark: Entry['mark']) =>
      this.#entries
        .filter((entry) => entry.mark === mark)
        .reduce((sum, entry) => sum + entry.end - entry.start, 0);
    return {
      size: this.#entries.length,
      lostBytes: bytes('lost'),
      sackedBytes: bytes('sacked'),
      sackedSegments: this.#entries.filter((entry) => entry.mark === 'sacked').length,
    };
  }
}
