/** Where the two addons lie: what was built here first, then what the package brought along. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageRoot } from '../files/package-root.js';
import { platformKey } from '../libtorch/platform.js';
import { engineFile, loaderFile, recordFile } from './build-record.js';

/** A short account of why the last build stopped; removed by the next one that succeeds. */
export const failureFile = join('build', 'last-failure.txt');

/** CRANE_ADDON names another folder that holds crane_loader.node, crane_engine.node and crane_engine.json. */
export function addonFolders(root: string = packageRoot, env: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = env['CRANE_ADDON'];
  if (chosen) return [resolve(chosen)];
  return [join(root, 'build', 'Release'), join(root, 'prebuilds', platformKey())];
}

export function hasAddons(folder: string): boolean {
  return [loaderFile, engineFile, recordFile].every((name) => existsSync(join(folder, name)));
}

export function lastBuildFailure(root: string = packageRoot): string | undefined {
  try {
    return readFileSync(join(root, failureFile), 'utf8').trim();
  } catch {
    // no build has failed here
    return undefined;
  }
}
