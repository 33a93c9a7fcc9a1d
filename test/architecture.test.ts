import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, posix } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Every folder of src/ and what it may import beside itself. */
const LAYERS = [
  'networkio',
  'packetmuxer',
  'reliable',
  'controlchannel',
  'tlsstate',
  'datachannel',
  'tun',
  'netstack',
  'trace',
];
const BELOW_SESSION = ['core', 'model', 'config', ...LAYERS];
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  model: ['core'],
  config: ['core', 'model'],
  ...Object.fromEntries(LAYERS.map((layer) => [layer, ['core', 'model']])),
  session: BELOW_SESSION,
  vpnclient: [...BELOW_SESSION, 'session'],
  server: [...BELOW_SESSION, 'session'],
  dialer: [...BELOW_SESSION, 'session', 'vpnclient', 'server'],
  cli: [...BELOW_SESSION, 'session', 'vpnclient', 'server', 'dialer', 'index.ts'],
};

/** Folders in which everything but the named files is a machine or a codec. */
const MACHINES: Record<string, readonly string[]> = {
  model: [],
  reliable: ['service.ts'],
  controlchannel: ['service.ts'],
  packetmuxer: ['service.ts'],
  datachannel: ['service.ts', 'webcrypto-provider.ts'],
  netstack: [],
  tlsstate: ['service.ts', 'tls-bio.ts', 'tls-engine.ts'],
};

const FORBIDDEN_NAMES = /^(utils?|helpers?|common|types?|index)\.ts$/;
const MAX_LINES = 300;
const CLOCKS_AND_CHANCE =
  /\b(Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask|process\.nextTick|Math\.random|randomBytes|console\.)/;

interface SourceFile {
  /** relative to src/ */
  readonly path: string;
  /** the first folder, or the name of a file that lies in src/ itself */
  readonly folder: string;
  readonly lines: number;
  /** without comments */
  readonly code: string;
  readonly imports: readonly { readonly specifier: string; readonly typeOnly: boolean }[];
}

const SRC = new URL('../src/', import.meta.url);
const files: readonly SourceFile[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(new URL(path, SRC), 'utf8');
    const code = withoutComments(text);
    const [folder = path] = path.split('/');
    return { path, folder, lines: text.split('\n').length - 1, code, imports: importsOf(code) };
  });

/** Good enough for formatted code: whole-line and trailing comments, and blocks at line starts. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '');
}

function importsOf(code: string): SourceFile['imports'] {
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(?<type>type\s)?(?:[^;'"]*?\sfrom\s*)?['"](?<from>[^'"]+)['"]/gm,
  );
  const calls = code.matchAll(/\b(?:import|require)\(\s*['"](?<from>[^'"]+)['"]/g);
  return [...statements, ...calls].map(({ groups = {} }) => {
    const { from = '', type } = groups;
    return { specifier: from, typeOnly: type !== undefined };
  });
}

/** The folder of src/ that `specifier` leads to; undefined for packages. */
function folderOf(specifier: string, from: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(dirname(from), specifier).split('/')[0];
}

function isMachine({ path, folder }: SourceFile): boolean {
  return MACHINES[folder]?.includes(basename(path)) === false;
}

describe('the source tree', () => {
  test('was found, imports and all', () => {
    expect(files.length).toBeGreaterThan(30);
    const channel = files.find(({ path }) => path === 'reliable/service.ts');
    expect(channel?.imports).toContainEqual({ specifier: '../core/channel.ts', typeOnly: true });
    expect(channel?.imports).toContainEqual({ specifier: './key-states.ts', typeOnly: false });
  });

  test('has only the folders of the plan', () => {
    const known = new Set([...Object.keys(MAY_IMPORT), 'index.ts']);
    expect(files.filter(({ folder }) => !known.has(folder)).map(({ path }) => path)).toEqual([]);
  });
});

describe('every file of src/', () => {
  test('imports only what stands below it', () => {
    const wrong = files.flatMap(({ path, folder, imports }) => {
      if (folder === 'index.ts') return [];
      const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])];
      return imports
        .map(({ specifier }) => ({ specifier, target: folderOf(specifier, path) }))
        .filter(({ target }) => target !== undefined && !allowed.includes(target))
        .map(({ specifier }) => `${path} imports ${specifier}`);
    });
    expect(wrong).toEqual([]);
  });

  test('has a name that says something', () => {
    const wrong = files.filter(
      ({ path }) => path !== 'index.ts' && FORBIDDEN_NAMES.test(basename(path)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test(`holds one idea: no more than ${MAX_LINES} lines`, () => {
    const wrong = files.filter(({ lines }) => lines > MAX_LINES);
    expect(wrong.map(({ path, lines }) => `${path} has ${lines}`)).toEqual([]);
  });

  test('names what it exports', () => {
    const wrong = files.filter(({ code }) => /export\s*\*/.test(code));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe('every machine and codec', () => {
  const machines = files.filter(isMachine);

  test('takes nothing from Node but its crypto', () => {
    const wrong = machines.flatMap(({ path, imports }) =>
      imports
        .filter(({ typeOnly }) => !typeOnly)
        .filter(({ specifier }) => specifier.startsWith('node:') && specifier !== 'node:crypto')
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
    expect(machines.length).toBeGreaterThan(30);
    expect(wrong).toEqual([]);
  });

  test('is given time and chance, and has neither of its own', () => {
    const wrong = machines.flatMap(({ path, code }) =>
      code
        .split('\n')
        .filter((line) => CLOCKS_AND_CHANCE.test(line))
        .map((line) => `${path}: ${line}`),
    );
    expect(wrong).toEqual([]);
  });
});
