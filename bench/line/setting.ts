/** How bad the line is. */
export interface Setting {
  /** Added to a round trip. Unit: milliseconds. */
  readonly roundTripMs: number;
  /** In each direction. */
  readonly lossPercent: number;
}

/** The settings of the whole table. */
export const SETTINGS: readonly Setting[] = [0, 0.1, 1, 3, 5].flatMap((lossPercent) =>
  [10, 40, 100].map((roundTripMs) => ({ roundTripMs, lossPercent })),
);

export type Direction = 'download' | 'upload';

export const DIRECTIONS: readonly Direction[] = ['download', 'upload'];

/** What the receiver got. Unit: Mbit/s. */
export type Goodput = Readonly<Record<Direction, number>>;

/** Of all senders: the lab's kernel would take another one by itself. */
export const CONGESTION = 'cubic';
