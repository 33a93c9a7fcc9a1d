/** One measured task. Numbers of different runs are not comparable, ratios inside one run are. */
export interface Row {
  readonly task: string;
  readonly opsPerSecond: number;
  /** Payload carried; absent where a task carries none. */
  readonly bytesPerSecond?: number;
  /** On the heap and outside, an operation; absent where it was not measured. */
  readonly allocatedBytes?: number;
  readonly note?: string;
}
