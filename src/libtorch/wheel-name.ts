/** Wheel file names and which wheel fits: {distribution}-{version}(-{build})?-{python}-{abi}-{platform}.whl */

import type { IndexFile } from '../net/simple-index.js';
import { normalizedName } from '../net/simple-index.js';
import { compareVersions } from './elf.js';
import { publicVersion } from './version.js';

export interface WheelName {
  project: string;
  version: string;
  python: string;
  /** several platforms are joined by '.' */
  platforms: string[];
}

export function parseWheelName(filename: string): WheelName | undefined {
  const parts = /^(.+)\.whl$/.exec(filename)?.[1]?.split('-');
  if (!parts || parts.length < 5 || parts.length > 6) return undefined;
  return {
    project: normalizedName(parts[0]!),
    version: parts[1]!.replaceAll('_', '+'),
    python: parts.at(-3)!,
    platforms: parts.at(-1)!.split('.'),
  };
}

/**
 * The wheel of a version for a platform. The libraries are the same for every CPython, so any will do; the
 * choice is the last by version and name, so that a resumed download takes the same one.
 * version: '2.11.0', or '13.0.96.*' for any that begins so. platform undefined: any.
 */
export function chooseWheel(
  files: IndexFile[],
  project: string,
  version: string,
  platform: RegExp | undefined,
): IndexFile | undefined {
  const fitting = files.flatMap((file) => {
    const name = parseWheelName(file.filename);
    const fits =
      name !== undefined &&
      !file.yanked &&
      name.project === normalizedName(project) &&
      versionMatches(name.version, version) &&
      (platform === undefined || name.platforms.some((p) => platform.test(p)));
    return fits ? [{ file, name }] : [];
  });
  fitting.sort(
    (a, b) =>
      compareVersions(publicVersion(a.name.version), publicVersion(b.name.version)) ||
      a.file.filename.localeCompare(b.file.filename, 'en'),
  );
  return fitting.at(-1)?.file;
}

function versionMatches(version: string, wanted: string): boolean {
  const has = publicVersion(version);
  if (!wanted.endsWith('.*')) return has === wanted;
  const prefix = wanted.slice(0, -2);
  return has === prefix || has.startsWith(`${prefix}.`);
}
