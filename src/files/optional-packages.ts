/**
 * What only some uses need is loaded by them: the package `crane-native-engine` brings no packages for the pages, tables
 * and builds of `crane-native` (docs/packages.md).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { packageRoot } from './package-root.js';

/**
 * @param what the use, as its message begins: "learning prompts"
 * @param names every package that it needs, so that all that lack are named at once
 * @param load an `import()` of a module of ours that needs the packages, or of the package itself
 * @throws CraneError E_DEPENDENCY where a package is not installed
 */
export async function loadOptional<T>(
  what: string,
  names: readonly string[],
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (thrown) {
    const first = missingPackage(thrown);
    if (first === undefined) throw thrown;
    throw notInstalled(what, [...new Set([first, ...names.filter(isMissing)])].sort(), thrown);
  }
}

function isMissing(name: string): boolean {
  try {
    import.meta.resolve(name);
    return false;
  } catch {
    return true;
  }
}

/** What even crane-native does not bring: its optional peers. */
export const broughtByNone: readonly string[] = [
  '@aws-sdk/client-s3',
  '@aws-sdk/lib-storage',
  '@cornerstonejs/codec-openjpeg',
  '@opentelemetry/api',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
  'bullmq',
  'ioredis',
  'libheif-js',
  'mqtt',
];

export function notInstalled(what: string, names: readonly string[], cause?: unknown): CraneError {
  const listed = names.map((name) => `"${name}"`).join(', ');
  const wanted = wantedVersions();
  const orWhole = names.some((name) => broughtByNone.includes(name))
    ? ''
    : ', or take the package crane-native, which brings everything';
  const install = names.map((name) => (wanted[name] ? `${name}@${wanted[name]}` : name)).join(' ');
  return new CraneError(
    'E_DEPENDENCY',
    `${what} needs the ${names.length === 1 ? 'package' : 'packages'} ${listed}, not installed here`,
    { hint: `npm install ${install}${orWhole}`, cause },
  );
}

/** Node names the package in its message only. Files of ours that are missing are no matter of installing. */
function missingPackage(thrown: unknown): string | undefined {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') return undefined;
  return /^Cannot find (?:package|module) '((?:@[^/']+\/)?[^./'][^/']*)/.exec(message)?.[1];
}

function wantedVersions(): Record<string, string> {
  const { dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as Record<'dependencies' | 'peerDependencies', Record<string, string> | undefined>;
  return { ...dependencies, ...peerDependencies };
}
