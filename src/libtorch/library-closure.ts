/**
 * The libraries to open for a libtorch, each after those it needs. The list is read from the files themselves
 * (DT_NEEDED, looked up along DT_RPATH), so a wheel with cudart and cupti, a CPU-only wheel with a hashed
 * libgomp and PyTorch's own archive all work without a table of names.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readElf } from './elf.js';
import { libtorchPlatform } from './platform.js';
import type { LibtorchVariant } from './version.js';

export interface LibraryClosure {
  /** absolute paths, dependencies first */
  paths: string[];
  /** those of `paths` that the engine links; the others matter only as far as these need them */
  roots: string[];
  /** needed names found in no search path: left to the system's linker */
  fromSystem: string[];
}

/** Opened first where they exist, for platforms whose libraries are not ELF. */
const fixedOrder: Record<string, string[]> = {
  darwin: ['libomp.dylib', 'libc10.dylib', 'libtorch_cpu.dylib'],
  win32: ['libiomp5md.dll', 'uv.dll', 'c10.dll', 'torch_cpu.dll'],
};

export function libraryClosure(torchRoot: string, variant: LibtorchVariant): LibraryClosure {
  const folder = realpathSync(join(torchRoot, 'lib'));
  const fixed = fixedOrder[process.platform];
  if (fixed) {
    const paths = fixed.map((name) => join(folder, name)).filter((path) => existsSync(path));
    return { paths, roots: paths, fromSystem: [] };
  }

  const platform = libtorchPlatform();
  const wanted = [platform?.cpuLibrary ?? 'libtorch_cpu.so'];
  if (variant === 'cuda') wanted.push(platform?.cudaLibrary ?? 'libtorch_cuda.so');
  const closure: LibraryClosure = {
    paths: [],
    roots: wanted.map((name) => join(folder, name)),
    fromSystem: [],
  };
  const seen = new Set<string>();
  for (const name of wanted) visit(join(folder, name), [], seen, closure);
  return closure;
}

/** Depth first; `inherited` are the search paths of those that led here, which DT_RPATH passes on. */
function visit(path: string, inherited: string[], seen: Set<string>, closure: LibraryClosure): void {
  const facts = readElf(path);
  const own = (facts?.searchPaths ?? []).map((p) => p.replace(/\$ORIGIN|\$\{ORIGIN\}/g, dirname(path)));
  const searchPaths = [...own, dirname(path), ...inherited];
  for (const name of facts?.needed ?? []) {
    if (seen.has(name)) continue;
    seen.add(name);
    const found = searchPaths.map((folder) => join(folder, name)).find((file) => existsSync(file));
    if (found) visit(found, searchPaths, seen, closure);
    else closure.fromSystem.push(name);
  }
  if (!closure.paths.includes(path)) closure.paths.push(path);
}

/**
 * Libraries of NVIDIA that a CUDA build of libtorch_cpu needs and that are neither beside it nor in the
 * system's linker cache: named before the linker stops with its own short message.
 */
export function missingCudaRuntime(closure: LibraryClosure): string[] {
  const cuda = closure.fromSystem.filter((name) => /^libcu(dart|pti)\.so/.test(name));
  if (cuda.length === 0) return [];
  const systemPaths = [
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib64',
    '/usr/lib',
    ...(process.env['LD_LIBRARY_PATH'] ?? '').split(':'),
  ];
  const cached = linkerCache();
  return cuda.filter(
    (name) => !cached.includes(`${name}\0`) && !systemPaths.some((p) => p && existsSync(join(p, name))),
  );
}

function linkerCache(): string {
  try {
    return readFileSync('/etc/ld.so.cache', 'latin1');
  } catch {
    return '';
  }
}
