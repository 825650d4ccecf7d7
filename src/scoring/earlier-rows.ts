/** A run goes on only with results that are as its own will be: a file that mixes them says of itself what is not so. */
import { CraneError } from '../errors.js';
import { mapEnding } from '../sinks/map-file.js';
import { isBelow, type RowKind, thresholdText } from '../sinks/row-kind.js';
import type { ScoreRunOptions } from './run-types.js';

export interface JudgedBy {
  model: string;
  threshold: number | null;
  mapThreshold: number | null;
}

/** What the rows of a run will be like. */
export function kindOfRun(
  { regions, outlines, maps, heatmaps, heatmapFormat }: ScoreRunOptions,
  { model, threshold, mapThreshold }: JudgedBy,
): RowKind {
  return {
    model,
    threshold,
    regions: (regions || outlines !== undefined) && (mapThreshold === null ? null : true),
    map: maps ? mapEnding[maps] : null,
    heatmap: heatmaps ? `.heat.${heatmapFormat}` : null,
  };
}

/** @param where of the earlier results, for people. @throws CraneError E_USAGE */
export function checkEarlier(where: string, earlier: RowKind, now: RowKind): void {
  const difference = differenceOf(earlier, now);
  if (difference === undefined) return;
  throw new CraneError('E_USAGE', `${where}: ${difference.message}`, { hint: difference.hint });
}

function differenceOf(earlier: RowKind, now: RowKind): { message: string; hint: string } | undefined {
  if (earlier.model !== now.model) {
    return {
      message: `its results come from ${earlier.model}, this run is ${now.model}`,
      hint: 'scores of different settings do not belong in one file: choose another --out or the earlier settings',
    };
  }
  const before = earlier.threshold;
  if (before !== now.threshold) {
    return {
      message: `its results were judged by ${thresholdText(before)}, this run has ${thresholdText(now.threshold)}`,
      hint: `${before === null ? '' : `go on with --threshold ${before}, `}choose another --out, or start anew with --force`,
    };
  }
  const beside = [
    ['--regions and --map-threshold', regionsText(earlier.regions), regionsText(now.regions)],
    ['--maps', filesText('maps', earlier.map), filesText('maps', now.map)],
    ['--heatmaps', filesText('heat maps', earlier.heatmap), filesText('heat maps', now.heatmap)],
  ] as const;
  for (const [flag, had, makes] of beside) {
    if (had === makes) continue;
    return {
      message: `its results have ${had}, this run makes ${makes}`,
      hint: `give ${flag} as before, choose another --out, or start anew with --force`,
    };
  }
  return undefined;
}

/**
 * Rows do not name the map threshold that their regions begin at: it was another where one of them lies below it.
 * @throws CraneError E_USAGE
 */
export function checkPeaks(where: string, lowest: number, mapThreshold: number | null): void {
  if (mapThreshold === null || !isBelow(lowest, mapThreshold)) return;
  const message = `${where}: its regions reach down to ${lowest}, below this run's map threshold ${mapThreshold}`;
  throw new CraneError('E_USAGE', message, {
    hint: 'give --map-threshold as before, choose another --out, or start anew with --force',
  });
}

function regionsText(regions: RowKind['regions']): string {
  if (regions === null) return 'no regions for want of a map threshold';
  return regions ? 'regions' : 'no regions';
}

function filesText(what: string, ending: string | null): string {
  return ending === null ? `no ${what}` : `${what} (${ending})`;
}
