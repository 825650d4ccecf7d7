/** Turns entries into items: every path checked to lie in the root and looked up once. */

import { isAbsolute, join } from 'node:path';
import { CraneError } from '../errors.js';
import { shellPath } from '../terminal/shell-word.js';
import { visible } from '../terminal/visible.js';
import type { DataItem } from './data-set.js';
import { eachBounded } from './each-bounded.js';
import type { Entry } from './entry.js';
import type { PlaceKind, RootFence } from './root-fence.js';

/** A path that cannot be used. The entry is left out, or, for a mask, goes on without it. */
export interface PathFault {
  fault: 'missing-picture' | 'missing-mask' | 'outside-root';
  path: string;
  className: string;
  /** why, where the path does not show it: through which link it leads outside */
  detail?: string;
}

export interface Placed {
  items: DataItem[];
  faults: PathFault[];
  warnings: string[];
}

export const madeOnWindows = 'its parts are separated by \\, so the index was made on Windows';

const k_lookupsAtOnce = 16;

export async function placeEntries(entries: readonly Entry[], fence: RootFence): Promise<Placed> {
  const placed = await eachBounded(entries, k_lookupsAtOnce, (entry) => placeEntry(entry, fence));
  const warnings: string[] = [];
  const absolute = placed.reduce((sum, { absolutePaths }) => sum + absolutePaths, 0);
  if (absolute > 0)
    warnings.push(
      `${absolute} absolute paths: they hold on this machine only; \`data index --force\` writes relative ones`,
    );
  const folders = placed.filter(({ hasMaskFolder }) => hasMaskFolder).length;
  if (folders > 0) warnings.push(`${folders} entries name a folder as their mask: that counts as no mask`);
  return {
    items: placed.flatMap(({ item }) => item ?? []),
    faults: placed.flatMap(({ faults }) => faults),
    warnings,
  };
}

interface PlacedEntry {
  item?: DataItem;
  faults: PathFault[];
  absolutePaths: number;
  hasMaskFolder: boolean;
}

async function placeEntry(entry: Entry, fence: RootFence): Promise<PlacedEntry> {
  const { className, kind, isAnomalous } = entry;
  const result: PlacedEntry = { faults: [], absolutePaths: 0, hasMaskFolder: false };
  const fault = (name: PathFault['fault'], path: string, detail?: string) =>
    result.faults.push({ fault: name, path, className, ...(detail === undefined ? {} : { detail }) });

  const image = await placePath(entry.imagePath, fence);
  if (image.found === 'outside') fault('outside-root', entry.imagePath, await fence.why(entry.imagePath));
  else if (image.found !== 'file') fault('missing-picture', entry.imagePath, windowsPath(entry.imagePath));
  else if (isAbsolute(entry.imagePath)) result.absolutePaths++;

  const maskPaths: string[] = [];
  for (const given of entry.maskPaths) {
    const mask = await placePath(given, fence);
    if (mask.found === 'outside') fault('outside-root', given, await fence.why(given));
    else if (mask.found === 'missing') fault('missing-mask', given, windowsPath(given));
    else if (mask.found === 'folder') result.hasMaskFolder = true;
    else {
      if (isAbsolute(given)) result.absolutePaths++;
      maskPaths.push(mask.path);
    }
  }
  if (image.found !== 'file') return result;
  const masks = maskPaths.map((path) => join(fence.root, path));
  result.item = {
    image: join(fence.root, image.path),
    imagePath: image.path,
    mask: masks[0] ?? null,
    maskPath: maskPaths[0] ?? null,
    masks,
    maskPaths,
    className,
    kind,
    isAnomalous,
  };
  return result;
}

function windowsPath(path: string): string | undefined {
  return path.includes('\\') ? madeOnWindows : undefined;
}

async function placePath(given: string, fence: RootFence): Promise<{ path: string; found: PlaceKind }> {
  const path = fence.below(given);
  return path === undefined ? { path: given, found: 'outside' } : { path, found: await fence.look(path) };
}

/** The error for a set that has to be whole. @throws CraneError E_DATA_PATH or E_DATA_NOT_FOUND */
export function refuseFaults(
  { name, root }: { name: string; root: string },
  faults: readonly PathFault[],
): void {
  const anew = `npx crane-native data index ${shellPath(root)} --force`;
  const outside = faults.filter(({ fault }) => fault === 'outside-root');
  if (outside.length > 0) {
    const { path, detail } = outside[0]!;
    throw new CraneError(
      'E_DATA_PATH',
      `${name}: ${outside.length} paths lead out of the data set, for instance ${visible(path)}${detail ? `: ${visible(detail)}` : ''}`,
      {
        hint: detail
          ? 'where you trust the links add --follow-links; else put the files themselves below the root'
          : `put the files below the root, and make a new index: ${anew}`,
      },
    );
  }
  const [first] = faults;
  if (first === undefined) return;
  const what = first.fault === 'missing-mask' ? 'mask' : 'picture';
  throw new CraneError(
    'E_DATA_NOT_FOUND',
    `${name}: ${faults.length} files are missing, for instance the ${what} ${visible(first.path)}`,
    {
      hint: first.path.includes('\\')
        ? `the index was made on Windows: make a new one with ${anew}`
        : `all of them: npx crane-native data check ${shellPath(root)}`,
    },
  );
}
