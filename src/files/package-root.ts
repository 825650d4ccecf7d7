/** The folder of package.json, from src/files/ and dist/files/ alike, and what package.json says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot: string = fileURLToPath(new URL('../../', import.meta.url));

/** How this installation compiles its engine afresh; libtorch alone is fetched into a cache that all packages share. */
export function rebuildCommand(root: string = packageRoot): string {
  return read(root).name === 'crane-native' ? 'npx crane-native build' : `npm rebuild ${read(root).name}`;
}

function read(root: string): { name: string; version: string } {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string; version: string };
}

export function packageVersion(root: string = packageRoot): string {
  return read(root).version;
}
