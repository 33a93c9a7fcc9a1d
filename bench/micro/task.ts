/** One operation on `bytes` of payload. */
export interface Task {
  readonly task: string;
  readonly bytes: number;
  readonly run: (() => void) | (() => Promise<void>);
  readonly note?: string;
  /** Whether operations begin without waiting for those before them. */
  readonly together?: boolean;
}
