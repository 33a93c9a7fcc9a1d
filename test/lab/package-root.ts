import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of `package.json`, from wherever this file runs: the sources or a build of them. */
export const PACKAGE_ROOT: string = packageRoot(new URL('.', import.meta.url));

/** A path inside the package. */
export function inPackage(path: string): string {
  return `${PACKAGE_ROOT}${path}`;
}

function packageRoot(folder: URL): string {
  if (existsSync(new URL('package.json', folder))) return fileURLToPath(folder);
  const above = new URL('..', folder);
  if (above.href === folder.href) throw new Error('expected a package.json above this file');
  return packageRoot(above);
}
