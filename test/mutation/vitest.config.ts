import { defineConfig } from 'vitest/config';

/**
 * How the tests run on a mutant: in one process that can be killed as a whole, up to the first
 * failure, and without a trace in `node_modules`.
 */
// biome-ignore lint/style/noDefaultExport: where vitest looks for it
export default defineConfig({
  cacheDir: '.vite',
  test: {
    include: ['test/**/*.test.ts'],
    bail: 1,
    pool: 'threads',
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['dot'],
    testTimeout: 60_000,
  },
});
