// Which files and packages of dist/ an entry needs, by their imports; imported by pack-engine.mjs and tests.
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** `import type` and `export type` leave no trace in a .js file, so every statement there counts. */
const k_static = /^\s*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*['"]([^'"]+)['"]/gm;
const k_dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;
/** Of a CommonJS package, loaded at once. */
const k_required = /\bcreateRequire\([^)]*\)(?:\.resolve)?\(\s*['"]([^'"]+)['"]\)/g;

/**
 * @param root folder of dist/
 * @param entries paths below root
 * @param kinds 'static': what loading an entry loads; 'all': what it may ever load; 'types': what its declarations name
 * @returns files below root, sorted, and packages with a file that asks for each
 */
export function closure(root, entries, kinds) {
  const files = new Set();
  const packages = new Map();
  const waiting = [...entries];
  while (waiting.length > 0) {
    const file = waiting.pop();
    if (files.has(file)) continue;
    if (!existsSync(posix.join(root, file))) throw new Error(`${file} is not there: npm run build:ts`);
    files.add(file);
    const text = readFileSync(posix.join(root, file), 'utf8');
    const patterns = kinds === 'static' ? [k_static] : [k_static, k_dynamic, k_required];
    for (const [, name] of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
      if (name.startsWith('.')) {
        const path = posix.join(posix.dirname(file), name);
        waiting.push(kinds === 'types' ? path.replace(/\.js$/, '.d.ts') : path);
      } else if (!name.startsWith('node:')) {
        packages.set(name.replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1'), file);
      }
    }
  }
  return { files: [...files].sort(), packages };
}

/** The library, what the install script calls, and the threads that read pictures, which nothing imports. */
export const engineEntries = ['dist/index.js', 'dist/build/install.js', 'dist/threads/worker.js'];

/** Every file of dist/ that crane-native-engine ships. */
export function engineFiles(root) {
  const code = closure(root, engineEntries, 'all');
  const types = closure(root, ['dist/index.d.ts'], 'types');
  return { files: [...code.files, ...types.files].sort(), packages: code.packages };
}
