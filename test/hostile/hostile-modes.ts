import { CONTROL_MODES } from './control-modes.ts';
import { INNER_MODES } from './inner-modes.ts';
import type { HostileMode } from './mode.ts';
import { OUTER_MODES } from './outer-modes.ts';
import { PUSH_MODES } from './push-modes.ts';
import { RESET_MODES } from './reset-modes.ts';
import { TCP_MODES } from './tcp-modes.ts';

/** What is said on the control channel. */
export const TEXT_MODES: readonly HostileMode[] = [...CONTROL_MODES, ...PUSH_MODES];

/** What comes as packets, outer and inner ones. */
export const TRAFFIC_MODES: readonly HostileMode[] = [
  ...RESET_MODES,
  ...OUTER_MODES,
  ...INNER_MODES,
  ...TCP_MODES,
];
