/** The results that a run goes on with: whose they are, and how they were made. */
import { truncate } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { jsonOf, linesOf } from '../files/line-file.js';
import type { ResultLine } from './result-line.js';
import { kindOfRow, type RowKind } from './row-kind.js';

/** What is kept of a row: one object for all that are alike. */
export interface EarlierRow {
  /** undefined: its input failed */
  kind: RowKind | undefined;
}

export class EarlierResults {
  readonly #rows = new Map<string, EarlierRow[]>();
  readonly #alike = new Map<string, EarlierRow>();
  readonly #failed: EarlierRow = { kind: undefined };
  /** the lowest one of its regions */
  lowestPeak = Number.POSITIVE_INFINITY;
  scored = 0;
  failed = 0;
  anomalous = 0;

  add(row: ResultLine): void {
    const same = this.#rows.get(row.input);
    const kept = this.#keptOf(row);
    if (same) same.push(kept);
    else this.#rows.set(row.input, [kept]);
  }

  /** The result of this input that the file holds, if any; each answers for one input of its name. */
  take(name: string): EarlierRow | undefined {
    return this.#rows.get(name)?.shift();
  }

  /** Those that its rows have. */
  get kinds(): RowKind[] {
    return [...this.#alike.values()].map(({ kind }) => kind!);
  }

  #keptOf(row: ResultLine): EarlierRow {
    if ('error' in row) {
      this.failed++;
      return this.#failed;
    }
    this.scored++;
    if (row.anomalous) this.anomalous++;
    for (const { peak } of row.regions ?? []) this.lowestPeak = Math.min(this.lowestPeak, peak);
    const kind = kindOfRow(row);
    const text = JSON.stringify(kind);
    const kept: EarlierRow = this.#alike.get(text) ?? { kind };
    this.#alike.set(text, kept);
    return kept;
  }
}

/** A last line that was not finished is cut off. @throws CraneError E_IO_READ for a line that is no result, the file system's errors */
export async function readEarlier(path: string): Promise<EarlierResults> {
  const earlier = new EarlierResults();
  let goodBytes = 0;
  for await (const { text, number, at, bytes, isWhole } of linesOf(path)) {
    if (!isWhole) break;
    const row = parseLine(text);
    if (!row) throw notAResult(path, number);
    earlier.add(row);
    goodBytes = at + bytes;
  }
  await truncate(path, goodBytes);
  return earlier;
}

/** Looks at what decides whether a run may go on; the whole of a row is proved where it is used. */
function parseLine(line: Buffer): ResultLine | undefined {
  try {
    const parsed = jsonOf(line) as ResultLine | null;
    if (typeof parsed?.input !== 'string') return undefined;
    if ('error' in parsed) return parsed;
    const { model, threshold, map, heatmap, regions } = parsed as Partial<Record<string, unknown>>;
    const areRegions = (regions ?? null) === null || (Array.isArray(regions) && regions.every(hasPeak));
    const isJudged = threshold === null || typeof threshold === 'number';
    const areNames = [map, heatmap].every((file) => file === undefined || typeof file === 'string');
    return typeof model === 'string' && isJudged && areNames && areRegions ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function hasPeak(region: { peak?: unknown } | null): boolean {
  return typeof region?.peak === 'number';
}

function notAResult(path: string, line: number): CraneError {
  return new CraneError('E_IO_READ', `${path}: line ${line} is no result`, {
    hint: 'remove the line, or start anew with --force',
  });
}
