/**
 * Flags that decide the bytes of maps and heat maps, which rows do not name. They are kept beside the results (results.files.json), so
 * that a run goes on with files of one kind.
 */
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { writeWhole } from '../files/write-whole.js';
import type { ResultsFile } from '../sinks/results-file.js';
import type { ScoreRunOptions } from './run-types.js';

export const fileFlags = z.object({
  /** null: no maps are written */
  mapSize: z.enum(['picture', 'model']).nullable(),
  /** null: no heat maps are written, or they have the colours of the method's range */
  heatmapRange: z.object({ low: z.number(), high: z.number() }).nullable(),
});
const kept = fileFlags.extend({
  format: z.literal(1),
  /** marked in the legends of heat maps */
  mapThreshold: z.number().nullable(),
});

export type FileFlags = z.infer<typeof fileFlags>;

type Given = Pick<ScoreRunOptions, 'maps' | 'mapSize' | 'heatmaps' | 'heatmapRange'>;

export function fileFlagsOf({ maps, mapSize, heatmaps, heatmapRange }: Given): FileFlags {
  return { mapSize: maps ? mapSize : null, heatmapRange: (heatmaps && heatmapRange) || null };
}

/**
 * Looks at those of the results that are gone on with, and keeps this run's. Results of an earlier version have none.
 * @throws CraneError E_USAGE where they differ, E_IO_WRITE
 */
export async function keepFileFlags(
  results: ResultsFile,
  given: Given,
  mapThreshold: number | null,
): Promise<void> {
  const { path, earlier } = results;
  const file = pathOf(results);
  const now = { ...fileFlagsOf(given), mapThreshold: given.heatmaps ? mapThreshold : null };
  const before = earlier.scored > 0 ? await readFlags(file) : undefined;
  for (const [name, flag] of [
    ['mapSize', '--map-size'],
    ['heatmapRange', '--heatmap-range'],
    ['mapThreshold', '--map-threshold'],
  ] as const) {
    if (before === undefined || shown(before[name]) === shown(now[name])) continue;
    throw new CraneError(
      'E_USAGE',
      `${path}: its maps and heat maps were made with ${flag} ${shown(before[name])}, this run has ${shown(now[name])}`,
      { hint: `give ${flag} as before, choose another --out, or start anew with --force` },
    );
  }
  if (given.maps || given.heatmaps)
    await writeWhole(file, `${JSON.stringify({ format: 1, ...now })}\n`, { overwrite: true });
  else await removeFileFlags(results);
}

export async function removeFileFlags(results: ResultsFile): Promise<void> {
  await rm(pathOf(results), { force: true });
}

/** results.1-of-3.jsonl -> results.1-of-3.files.json */
function pathOf({ path }: ResultsFile): string {
  return path.replace(/\.jsonl$/, '.files.json');
}

async function readFlags(file: string): Promise<z.infer<typeof kept> | undefined> {
  try {
    return kept.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function shown(value: string | number | FileFlags['heatmapRange']): string {
  if (value === null) return 'unset';
  return typeof value === 'object' ? `${value.low},${value.high}` : String(value);
}
