const BATCHES = 100;

/**
 * What one of the `calls` operations of a batch takes, on the heap and outside: the median of the
 * batches in which nothing was collected, less what the look itself takes. Unit: bytes.
 */
export function allocatedBytes(batch: () => void, calls: number): number {
  return Math.max(Math.round((grownBy(batch) - grownBy(nothing)) / calls), 0);
}

function grownBy(batch: () => void): number {
  const grown: number[] = [];
  for (let count = 0; count < BATCHES; count += 1) {
    const before = memoryBytes();
    batch();
    const more = memoryBytes() - before;
    if (more >= 0) grown.push(more);
  }
  const sorted = grown.sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Memory in use, on the heap and outside, whether or not it is needed still. Unit: bytes. */
export function memoryBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function nothing(): void {}
