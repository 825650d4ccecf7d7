/** What the runs of several rows have to say: each text once, with the rows that it holds for where it is not all of them. */
import type { TestRun } from '../runs/test-run.js';
import type { CellRuns } from './figure-rows.js';

/** So many rows are named; of more only how many. */
const k_named = 4;

export function warningsOfRows(all: readonly CellRuns[]): string[] {
  return once(all, ({ warnings }) => warnings.map((text) => ({ text, set: '' })));
}

/** Of data sets: those of one text stand before it. */
export function notesOfRows(all: readonly CellRuns[]): string[] {
  return once(all, ({ dataSets }) =>
    dataSets.flatMap(({ name, notes }) => notes.map((text) => ({ text, set: name }))),
  );
}

function once(
  all: readonly CellRuns[],
  wordsOf: (run: TestRun) => { text: string; set: string }[],
): string[] {
  const told = all.filter(({ runs }) => runs.length > 0);
  /** by text: its sets, each with the rows that say so */
  const places = new Map<string, Map<string, Set<string>>>();
  for (const { cell, runs } of told)
    for (const { text, set } of runs.flatMap(wordsOf)) {
      const sets = places.get(text) ?? new Map<string, Set<string>>();
      places.set(text, sets.set(set, (sets.get(set) ?? new Set()).add(cell.label)));
    }
  return [...places].flatMap(([text, sets]) => {
    /** sets of which the same rows say it */
    const byRows = new Map<string, string[]>();
    for (const [set, rows] of sets) {
      const whose = rowsText([...rows], told.length);
      byRows.set(whose, [...(byRows.get(whose) ?? []), set]);
    }
    return [...byRows].map(([whose, names]) => {
      const of = names.filter((name) => name !== '').join(', ');
      return `${of && `${of}: `}${text}${whose && ` (${whose})`}`;
    });
  });
}

function rowsText(rows: readonly string[], count: number): string {
  if (rows.length === count) return '';
  return rows.length <= k_named ? rows.join('; ') : `${rows.length} of ${count} rows, first ${rows[0]}`;
}
