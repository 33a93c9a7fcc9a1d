import { defineConfig } from 'vitest/config';

/** Four projects: unit needs nothing, sim a virtual clock, embedded loopback, real root and Debian's openvpn. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{sim,embedded,hostile,real}/**'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'embedded',
          include: ['test/{embedded,hostile}/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
