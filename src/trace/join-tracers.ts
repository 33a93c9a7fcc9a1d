import type { Tracer } from '../model/tracer.ts';

/** One tracer that tells all of `tracers`, in order. */
export function joinTracers(...tracers: readonly Tracer[]): Tracer {
  return {
    linkOpened: (...seen) => {
      for (const tracer of tracers) tracer.linkOpened?.(...seen);
    },
    stateChanged: (...seen) => {
      for (const tracer of tracers) tracer.stateChanged?.(...seen);
    },
    controlIn: (...seen) => {
      for (const tracer of tracers) tracer.controlIn?.(...seen);
    },
    controlOut: (...seen) => {
      for (const tracer of tracers) tracer.controlOut?.(...seen);
    },
    dropped: (...seen) => {
      for (const tracer of tracers) tracer.dropped?.(...seen);
    },
    datagramIn: (...seen) => {
      for (const tracer of tracers) tracer.datagramIn?.(...seen);
    },
    datagramOut: (...seen) => {
      for (const tracer of tracers) tracer.datagramOut?.(...seen);
    },
  };
}
