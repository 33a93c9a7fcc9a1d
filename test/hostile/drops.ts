import type { Meeting } from './scene.ts';

/** What a client has refused at a layer, by reason. */
export function dropsOf({ client }: Meeting, layer: string): Record<string, number> {
  return { ...client.stats.drops[layer] };
}

export function sumOf(drops: Readonly<Record<string, number>>): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0);
}
