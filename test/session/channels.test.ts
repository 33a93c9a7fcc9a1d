import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { closeChannels, createChannels } from '../../src/session/channels.ts';

describe('createChannels', () => {
  test('every channel has the name of its field and arms the pump', () => {
    let armed = 0;
    const channels = createChannels(() => {
      armed += 1;
    });
    for (const [field, channel] of Object.entries(channels)) {
      expect(channel.name).toBe(field);
      expect(channel.push('an item')).toBe(true);
    }
    expect(armed).toBe(Object.keys(channels).length);
  });

  test('are those of docs/ARCHITECTURE.md, with their slots', () => {
    const text = readFileSync('docs/ARCHITECTURE.md', 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+)`\s*\|[^|]+\|\s*(\d+)\s*\|/gm)];
    const documented = Object.fromEntries(rows.map(([, name, slots]) => [name, Number(slots)]));
    const channels = Object.values(createChannels(() => {}));
    expect(Object.fromEntries(channels.map(({ name, slots }) => [name, slots]))).toEqual(
      documented,
    );
  });
});

describe('closeChannels', () => {
  test('closes all of them and wakes whoever waits', async () => {
    const channels = createChannels(() => {});
    const waiting = Object.values(channels).map((channel) => channel.receive());
    closeChannels(channels);
    closeChannels(channels);
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => undefined));
    expect(Object.values(channels).every(({ closed }) => closed)).toBe(true);
  });
});
