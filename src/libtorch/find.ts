/**
 * Finds libtorch: the five ways of install.md in their order. `lookUpLibtorch` opens no connection (ways 1 to
 * 3, for loading); `findLibtorch` may fetch (all five, for installing and building).
 */
import { CraneError } from '../errors.js';
import { type Attempt, type FoundLibtorch, isFound, type MissedWay } from './attempt.js';
import type { Wanted } from './root.js';
import { type LibtorchVariant, libtorchVersion } from './version.js';
import { fromCache } from './way-cache.js';
import { fromEnvironment } from './way-environment.js';
import { fromPython } from './way-python.js';

export interface FindOptions {
  variant?: LibtorchVariant;
  /** include/ is needed too (compiling); default true */
  headers?: boolean;
  /** build id of the libtorch the engine was compiled against */
  buildId?: string | undefined;
  /** root the build recorded (Wanted.knownRoot) */
  knownRoot?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** one line for the user; default: stderr */
  log?: (line: string) => void;
}

type WayFunction = (
  wanted: Wanted,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
) => Promise<Attempt> | Attempt;

const localWays: WayFunction[] = [fromEnvironment, fromCache, fromPython];

/** Loaded when needed: they bring the HTTP client along. */
const fetchingWays: WayFunction[] = [
  async (wanted, env, log) => (await import('./way-index.js')).fromIndex(wanted, env, log),
  async (wanted, env, log) => (await import('./way-archive.js')).fromArchive(wanted, env, log),
];

/** Ways 1 to 3. Throws E_LIBTORCH_NOT_FOUND or E_LIBTORCH_VERSION; every cause is in the message. */
export function lookUpLibtorch(options: FindOptions = {}): Promise<FoundLibtorch> {
  return search(localWays, { headers: false, log: () => {}, ...options });
}

/** Ways 1 to 5. Prints its choice. Same errors as lookUpLibtorch. */
export function findLibtorch(options: FindOptions = {}): Promise<FoundLibtorch> {
  return search([...localWays, ...fetchingWays], options);
}

async function search(functions: WayFunction[], options: FindOptions): Promise<FoundLibtorch> {
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const env = options.env ?? process.env;
  const wanted: Wanted = {
    variant: options.variant ?? 'cpu',
    headers: options.headers ?? true,
    buildId: options.buildId,
    knownRoot: options.knownRoot,
  };
  const missed: MissedWay[] = [];
  for (const way of functions) {
    const attempt = await way(wanted, env, log);
    if (isFound(attempt)) {
      log(describeChoice(attempt.found));
      return attempt.found;
    }
    missed.push(attempt.missed);
    if (attempt.missed.final) throw notFound(missed);
  }
  throw notFound(missed);
}

export function describeChoice(found: FoundLibtorch): string {
  return `libtorch ${found.version}: ${found.torchRoot} (${wayNames[found.way]}: ${found.through}; version by its ${found.evidence})`;
}

const wayNames: Record<MissedWay['way'], string> = {
  environment: 'environment',
  cache: 'cache',
  python: 'Python torch',
  index: 'Python package index',
  archive: 'archive',
};

function notFound(missed: MissedWay[]): CraneError {
  const last = missed.at(-1)!;
  if (last.final) return new CraneError(last.final, last.cause, { hint: last.repair });
  // loading looks in three places only; when one of them holds another version, that is the trouble to name
  const onlyOtherVersions = missed.length <= localWays.length && missed.some((m) => m.otherVersion);
  const lines = missed.flatMap((m) => [`  ${wayNames[m.way]}: ${m.cause}`, `      repair: ${m.repair}`]);
  return new CraneError(
    onlyOtherVersions ? 'E_LIBTORCH_VERSION' : 'E_LIBTORCH_NOT_FOUND',
    `libtorch ${libtorchVersion} was not found:\n${lines.join('\n')}`,
    {
      hint:
        missed.length <= localWays.length
          ? 'have it fetched: npx crane-native build --fetch'
          : 'any one of these repairs is enough',
    },
  );
}
