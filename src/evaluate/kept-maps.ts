/** Which maps of a test stay in its folder when a class is finished. */
import { examplesIn } from '../runs/examples.js';
import { isScored } from '../runs/test-run.js';
import type { FinishedClass } from './finished-class.js';
import type { ClassWork } from './score-class.js';

/** Maps of a finished class that nobody will ask for: neither the user nor the report. */
export async function removeMaps({ pictures, examples }: FinishedClass, work: ClassWork): Promise<void> {
  if (!work.kept || work.keepMaps) return;
  const stays = new Set([...examplesIn(examples), ...work.alsoKept]);
  for (const [at, { index }] of pictures.entries())
    if (!stays.has(at)) await work.kept.folder.removeMap(work.kept.folder.mapName(work.setFolder, index));
}

/** Names of the maps that the pictures of these classes have. */
export function mapsOf(classes: readonly FinishedClass[]): Set<string> {
  const maps = classes.flatMap(({ pictures }) => pictures.filter(isScored).map(({ map }) => map));
  return new Set(maps.filter((map) => map !== null));
}
