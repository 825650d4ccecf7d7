/** What beside its picture decides a row of results. Rows of one file are alike in it, or they are not one result. */
import type { ResultLine, ScoredLine } from './result-line.js';

export interface RowKind {
  model: string;
  threshold: number | null;
  /** whether it tells of its regions; null: it would, but there was no map threshold */
  regions: boolean | null;
  /** ending of the file's name; null: it has none */
  map: string | null;
  heatmap: string | null;
}

/** How the names of maps and heat maps end. */
export const k_fileEnding = /\.(map|heat)\.[a-z0-9]+$/;

export function kindOfRow({ model, threshold, regions, map, heatmap }: ScoredLine): RowKind {
  const ending = (file: string | undefined) =>
    file === undefined ? null : (k_fileEnding.exec(file)?.[0] ?? file);
  return {
    model,
    threshold,
    regions: regions === null ? null : regions !== undefined,
    map: ending(map),
    heatmap: ending(heatmap),
  };
}

/** Whether no region that begins at this map threshold has such a peak: maps hold numbers of single precision. */
export function isBelow(peak: number, mapThreshold: number): boolean {
  return peak < Math.min(mapThreshold, Math.fround(mapThreshold));
}

/** Rows of one label were made alike, so one threshold judges them all. */
export class LabelThresholds {
  readonly #known = new Map<string, number | null>();

  add({ model, threshold }: Pick<RowKind, 'model' | 'threshold'>): void {
    this.#known.set(model, threshold);
  }

  /** @returns what is wrong, in words */
  check(row: ResultLine): string | undefined {
    if ('error' in row) return undefined;
    const known = this.#known.get(row.model);
    if (known === undefined) this.add(row);
    if (known === undefined || known === row.threshold) return undefined;
    return `${row.input} was judged by ${thresholdText(row.threshold)}, others of ${row.model} by ${thresholdText(known)}`;
  }
}

export function thresholdText(threshold: number | null): string {
  return threshold === null ? 'no threshold' : `threshold ${threshold}`;
}
