import { createRequire } from 'node:module';

const require: NodeJS.Require = createRequire(import.meta.url);

/**
 * undici, loaded when it is first needed. It is more than a third of the code that a tunnel brings
 * along, and what lies in memory is paid for again with every collection.
 */
export function undici(): typeof import('undici') {
  return require('undici');
}
