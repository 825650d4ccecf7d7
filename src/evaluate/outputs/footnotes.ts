/** What a table cannot say in its cells: why figures are missing, what was unusual, how they were made. */
import type { TestRun } from '../../runs/test-run.js';
import type { RunTables } from './rows.js';

/** "n/a, one label only: skin (all image figures)", one line for each reason of each data set. */
export function undefinedNotes({ columns, sets }: RunTables): string[] {
  return sets.flatMap(({ set, rows }) => {
    const byReason = new Map<string, string[]>();
    for (const { kind, label, cells } of rows) {
      if (kind !== 'class') continue;
      const ofClass = new Map<string, string[]>();
      for (const [at, { reason }] of cells.entries()) {
        if (reason === undefined) continue;
        const { level, title, detail } = columns[at]!;
        const name = `${level} ${title}${detail && ` ${detail}`}`;
        ofClass.set(reason, [...(ofClass.get(reason) ?? []), name]);
      }
      for (const [reason, names] of ofClass)
        byReason.set(reason, [
          ...(byReason.get(reason) ?? []),
          `${label} (${shorten(names, columns).join(', ')})`,
        ]);
    }
    return [...byReason].map(([reason, classes]) => `${set.name}: n/a, ${reason}: ${classes.join('; ')}`);
  });
}

function shorten(names: readonly string[], columns: RunTables['columns']): string[] {
  return (['image', 'pixel'] as const).flatMap((level) => {
    const own = names.filter((name) => name.startsWith(level));
    const all = columns.filter((column) => column.level === level).length;
    return own.length === all ? [`all ${level} figures`] : own;
  });
}

/** What is unusual about the pictures. */
export function remarkNotes({ dataSets }: TestRun): string[] {
  return dataSets.flatMap(({ name, classes, notes }) => [
    ...notes.map((note) => `${name}: ${note}`),
    ...classes.flatMap(({ className, failed, metrics: { remarks } }) => {
      const of = `${name}/${className}`;
      const { anomalousWithoutMask, anomalousWithEmptyMask } = remarks;
      return [
        failed > 0 ? `${of}: ${failed} of ${remarks.pictures} pictures failed and are in no figure` : '',
        anomalousWithoutMask > 0
          ? `${of}: ${anomalousWithoutMask} anomalous pictures without a mask are not in the pixel figures`
          : '',
        anomalousWithEmptyMask > 0
          ? `${of}: ${anomalousWithEmptyMask} anomalous pictures have an empty mask; their pixels count as normal`
          : '',
      ].filter((text) => text !== '');
    }),
  ]);
}

/** Of one label: below it the draws of a class know too little of what else there could be. */
const k_fewPictures = 10;

/** How the figures are to be read. */
export function conventionNotes({ settings, dataSets }: TestRun): string[] {
  const { model, normals, preset, size, limits, bootstrap } = settings;
  // Where nothing was learned normal pictures stand in the place of prompts.
  const prompts = settings.prompts?.sha256 === normals?.sha256 ? null : settings.prompts;
  const learnedOn = prompts?.learnedOn === null ? 'not known' : prompts?.learnedOn.join(', ') || 'nothing';
  const learned = prompts ? `prompts ${prompts.name}, learned on: ${learnedOn}` : 'nothing of it was learned';
  const withIntervals = dataSets.flatMap(({ classes }) => classes.filter(({ intervals }) => intervals));
  const small = withIntervals.filter(
    ({ metrics: { image } }) => Math.min(image.normal, image.anomalous) < k_fewPictures,
  );
  return [
    `${model}${preset === null ? '' : `, preset ${preset}`}, maps of ${size.width} x ${size.height}; ${learned}${normals === undefined ? '' : `; compared with ${normals.pictures.length} normal pictures (${normals.sha256.slice(0, 12)})`}`,
    'in percent; a class is one row, and every class counts the same in a mean',
    `AUPRO 200: 200 thresholds, as the reference computes it; AUPRO exact: every distinct score a threshold (limits ${limits.join(', ')})`,
    ...(bootstrap && withIntervals.length > 0
      ? [
          `intervals: ${100 * bootstrap.level} %, ${bootstrap.resamples} bootstrap draws of pictures within each class, seed ${bootstrap.seed}; image figures only, as a draw of pixels would need every map again`,
        ]
      : []),
    ...(small.length > 0
      ? [
          `intervals are too narrow for fewer than ${k_fewPictures} pictures of a label: ${small.map(({ className }) => className).join(', ')}`,
        ]
      : []),
  ];
}
