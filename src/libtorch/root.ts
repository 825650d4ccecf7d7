/**
 * Judges a folder: is it a libtorch, of which version, on what evidence? The evidence in order:
 * the ELF build id recorded when the engine was built, version.py or build-version, the headers.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readElf } from './elf.js';
import { libtorchPlatform } from './platform.js';
import { type LibtorchVariant, libtorchVersion, publicVersion } from './version.js';

export type Evidence = 'build id' | 'version file' | 'headers';

export interface LibtorchRoot {
  /** holds lib/ and, where `hasHeaders`, include/ */
  torchRoot: string;
  version: string;
  evidence: Evidence;
  /** of libtorch_cpu; undefined where the platform has none */
  buildId: string | undefined;
  hasHeaders: boolean;
}

export interface Wanted {
  variant: LibtorchVariant;
  /** compiling needs include/, loading does not */
  headers: boolean;
  /** build id the engine was compiled against, when there is an engine already */
  buildId?: string | undefined;
  /** where the build found Python's torch: asked before an interpreter is started, which takes 0.1 s or more */
  knownRoot?: string | undefined;
}

export type Judgement =
  | { fits: true; root: LibtorchRoot }
  | { fits: false; kind: 'absent' | 'incomplete' | 'version'; reason: string };

export function judgeRoot(folder: string, wanted: Wanted): Judgement {
  const platform = libtorchPlatform();
  const cpuLibrary = platform?.cpuLibrary ?? 'libtorch_cpu.so';
  const torchRoot = candidates(folder).find((root) => existsSync(join(root, 'lib', cpuLibrary)));
  if (!torchRoot) {
    const reason = existsSync(folder) ? `${folder} has no lib/${cpuLibrary}` : `${folder} does not exist`;
    return { fits: false, kind: 'absent', reason };
  }

  let buildId: string | undefined;
  try {
    buildId = readElf(join(torchRoot, 'lib', cpuLibrary))?.buildId;
  } catch (thrown) {
    // Another user's: the search goes on elsewhere, and its end names this.
    const reason = `${join(torchRoot, 'lib', cpuLibrary)} cannot be read (${(thrown as NodeJS.ErrnoException).code})`;
    return { fits: false, kind: 'incomplete', reason };
  }
  const known = wanted.buildId !== undefined && wanted.buildId !== '' && buildId === wanted.buildId;
  const stated = known
    ? { version: libtorchVersion, evidence: 'build id' as const }
    : statedVersion(torchRoot);
  if (!stated) {
    const reason = `${torchRoot} does not say its version (no version.py, build-version or version.h)`;
    return { fits: false, kind: 'version', reason };
  }
  if (publicVersion(stated.version) !== libtorchVersion) {
    const reason = `${torchRoot} is libtorch ${stated.version} (by its ${stated.evidence}), ${libtorchVersion} is needed`;
    return { fits: false, kind: 'version', reason };
  }

  const hasHeaders = existsSync(join(torchRoot, 'include', 'ATen', 'ATen.h'));
  if (wanted.headers && !hasHeaders)
    return { fits: false, kind: 'incomplete', reason: `${torchRoot} has no include/ATen/ATen.h` };
  const cudaLibrary = platform?.cudaLibrary ?? 'libtorch_cuda.so';
  if (wanted.variant === 'cuda' && !existsSync(join(torchRoot, 'lib', cudaLibrary)))
    return { fits: false, kind: 'incomplete', reason: `${torchRoot} has no lib/${cudaLibrary}` };
  return { fits: true, root: { torchRoot, ...stated, buildId, hasHeaders } };
}

/** The folder itself, the libtorch whose share/cmake/Torch it is, or the site-packages that hold torch/. */
function candidates(folder: string): string[] {
  const absolute = resolve(folder);
  const above = /share[\\/]cmake[\\/]Torch$/.test(absolute) ? [resolve(absolute, '..', '..', '..')] : [];
  return [absolute, ...above, join(absolute, 'torch')];
}

const versionFiles: { path: string[]; evidence: Evidence; pattern: RegExp }[] = [
  { path: ['version.py'], evidence: 'version file', pattern: /^__version__\s*=\s*['"]([^'"]+)['"]/m },
  { path: ['build-version'], evidence: 'version file', pattern: /^\s*(\d+\.\d+\.\d+\S*)/ },
  {
    path: ['include', 'torch', 'headeronly', 'version.h'],
    evidence: 'headers',
    pattern: /#define\s+TORCH_VERSION\s+(?:\\\s*)?"([^"]+)"/,
  },
  {
    path: ['include', 'torch', 'csrc', 'api', 'include', 'torch', 'version.h'],
    evidence: 'headers',
    pattern: /#define\s+TORCH_VERSION\s+(?:\\\s*)?"([^"]+)"/,
  },
];

function statedVersion(torchRoot: string): { version: string; evidence: Evidence } | undefined {
  for (const { path, evidence, pattern } of versionFiles) {
    const file = join(torchRoot, ...path);
    if (!existsSync(file)) continue;
    const version = pattern.exec(readFileSync(file, 'utf8'))?.[1];
    if (version) return { version, evidence };
  }
  return undefined;
}
