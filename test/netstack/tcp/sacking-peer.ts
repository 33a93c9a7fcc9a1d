import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { type Extras, ScriptedPeer } from './scripted-peer.ts';

export const MSS = 1000;
export const ROUND_TRIP_MS = 100;

/** A peer that SACKs, a round trip of 100 ms away, and `count` segments' worth of data written. */
export function sacking(count: number, options: Partial<TcpOptions> = {}): ScriptedPeer {
  const peer = new ScriptedPeer({
    timestamps: false,
    windowScaling: false,
    congestion: 'reno',
    ...options,
  });
  if (options.timestamps === true) peer.timestamp = 1;
  peer.connection.connect(0);
  peer.take();
  peer.now = ROUND_TRIP_MS;
  peer.send('SA', 0, 1, {
    mss: peer.timestamp === undefined ? MSS : MSS + 12,
    sackPermitted: true,
  });
  peer.connection.write(Buffer.alloc(count * MSS));
  peer.take();
  return peer;
}

/** Segments that lie between these numbers have arrived; segment 0 is the first. */
export function blocks(...segments: readonly (readonly [from: number, to: number])[]): Extras {
  return { sacked: segments.map(([from, to]) => [1 + from * MSS, 1 + to * MSS] as const) };
}

/** All before segment `next` has arrived, and what `extras` says. */
export function answer(peer: ScriptedPeer, next: number, extras: Extras = {}): string[] {
  peer.send('A', 1, 1 + next * MSS, extras);
  return peer.take();
}
