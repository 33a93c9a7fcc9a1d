import type { Scene } from './scene.ts';

/** One way to be hostile. */
export interface HostileMode {
  /** The rule of the threat list that it is about. */
  readonly rule: string;
  readonly name: string;
  /** What the run has less of than the rule asks for. */
  readonly less?: string;
  /** Attacks, and expects what must hold for this mode beside what must hold for all. */
  readonly run: (scene: Scene) => Promise<void>;
}
