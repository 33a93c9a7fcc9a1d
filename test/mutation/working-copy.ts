import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `dist` as it is: tests that start a process run it, and cannot notice a mutant. */
const COPIED = ['src', 'test', 'dist', 'package.json', 'tsconfig.json'];

/** A copy of the project in which a file can be wrong for a while. */
export class WorkingCopy {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param root the project's folder; its packages are shared */
  static async of(root: string): Promise<WorkingCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'tundial-mutation-'));
    for (const name of COPIED) await cp(join(root, name), join(folder, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    return new WorkingCopy(folder);
  }

  /** Several copies of one state of the project, even while somebody writes to it. */
  static async several(root: string, count: number): Promise<WorkingCopy[]> {
    const copies = [await WorkingCopy.of(root)];
    for (let [first] = copies; first !== undefined && copies.length < count; ) {
      copies.push(await WorkingCopy.of(first.folder));
    }
    return copies;
  }

  /** Runs `work` while `file` has another text. */
  async with<T>(file: string, text: string, work: () => Promise<T>): Promise<T> {
    const path = join(this.folder, file);
    const original = await readFile(path);
    await writeFile(path, text);
    try {
      return await work();
    } finally {
      await writeFile(path, original);
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
