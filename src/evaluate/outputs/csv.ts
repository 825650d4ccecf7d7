/** results.csv: figures with all digits. pictures.csv: every picture with its score. */
import { stringify } from 'csv-stringify/sync';
import { isScored, type TestRun } from '../../runs/test-run.js';
import { tablesOf } from './rows.js';

/** Shares from 0 to 1; a figure that is not defined is an empty cell, and `undefined` says why. */
export function resultsCsv(run: TestRun): string {
  const { columns, sets, overall } = tablesOf(run);
  const withIntervals = columns.filter(({ interval }) => interval);
  const head = [
    'data_set',
    'class',
    'row',
    'normal',
    'anomalous',
    'failed',
    ...columns.map(({ key }) => key),
    ...withIntervals.flatMap(({ key }) => [`${key}_low`, `${key}_high`]),
    'undefined',
    'learned_on_it',
  ];
  const all = [
    ...sets.flatMap(({ set, rows }) => rows.map((row) => ({ set, row }))),
    ...(overall ? [{ set: undefined, row: overall }] : []),
  ];
  const lines = all.map(({ set, row }) => {
    const reasons = row.cells.flatMap(({ reason }, at) => (reason ? [`${columns[at]!.key}: ${reason}`] : []));
    const failed = set?.classes.find(
      ({ className }) => row.kind === 'class' && className === row.label,
    )?.failed;
    return [
      set?.name ?? '',
      row.kind === 'class' ? row.label : '',
      row.kind,
      row.normal ?? '',
      row.anomalous ?? '',
      failed ?? '',
      ...row.cells.map(({ value }) => value ?? ''),
      ...columns.flatMap(({ interval }, at) => {
        if (!interval) return [];
        const found = row.cells[at]!.interval;
        return [found?.low ?? '', found?.high ?? ''];
      }),
      reasons.join('; '),
      set === undefined ? '' : String(set.learnedOn !== null),
    ];
  });
  return stringify([head, ...lines]);
}

export function picturesCsv({ dataSets }: TestRun): string {
  const head = [
    'data_set',
    'class',
    'kind',
    'picture',
    'anomalous',
    'score',
    'map_max',
    'width',
    'height',
    'mask',
    'map',
    'error_code',
    'error_message',
  ];
  const lines = dataSets.flatMap(({ name, classes }) =>
    classes.flatMap(({ pictures }) =>
      pictures.map((picture) => {
        const { className, kind, path, isAnomalous, maskPath } = picture;
        const known = [name, className, kind, path, String(isAnomalous)];
        if (!isScored(picture))
          return [...known, '', '', '', '', maskPath ?? '', '', picture.error.code, picture.error.message];
        const { score, mapMax, width, height, map } = picture;
        return [...known, score, mapMax, width, height, maskPath ?? '', map ?? '', '', ''];
      }),
    ),
  );
  return stringify([head, ...lines]);
}
