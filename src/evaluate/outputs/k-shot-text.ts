/** The table of a k-shot test on a terminal. */
import { bankText } from '../../normals/bank-facts.js';
import type { Paint } from '../../terminal/paint.js';
import { visible } from '../../terminal/visible.js';
import type { KShotClass, KShotFigure, KShotRun } from '../k-shot-run.js';
import { aligned } from './text-table.js';

/** The others stand in k-shot.json. */
const k_shown: Readonly<Record<string, string>> = {
  image_auroc: 'image\nAUROC',
  image_ap: 'image\nAP',
  pixel_auroc: 'pixel\nAUROC',
  pixel_ap: 'pixel\nAP',
  'pixel_aupro_0.3_exact': 'pixel\nAUPRO@0.3',
};

export function kShotText({ classes, means, columns, seeds, model, bank }: KShotRun, paint: Paint): string {
  const shown = columns.filter((column) => Object.hasOwn(k_shown, column));
  const head = ['', ...shown.map((column) => k_shown[column]!)].map(paint.dim);
  const ofClasses = classes.flatMap(({ dataSet, className, draws }) =>
    means.map(({ shots }) => {
      const own = draws.filter((draw) => draw.shots === shots);
      const cells = shown.map((column) => {
        const values = own.flatMap(({ figures }) => figures[column] ?? []);
        return values.length === 0
          ? 'n/a'
          : percent(values.reduce((sum, value) => sum + value, 0) / values.length);
      });
      return [visible(`${dataSet}/${className}, ${shots} good`), ...cells];
    }),
  );
  const ofMeans = means.map(({ shots, figures }) => [
    `mean, ${shots} good`,
    ...shown.map((column) => withInterval(figures[column] ?? null)),
  ]);
  const from = [...new Set(classes.map((one) => one.from))].join(' and ');
  const learned =
    bank.method === undefined ? bankText(bank).join(', ') : `the memory of method ${bank.method}`;
  return [
    aligned([head, ...ofClasses, ...ofMeans]),
    ...classes.flatMap(backgroundOf).map((text) => paint.dim(visible(text))),
    paint.dim(
      visible(
        `${model}, ${learned}; ${seeds.length} draws from the ${from} split, 95 % intervals over the draws`,
      ),
    ),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

/** Over all draws of a class. */
function backgroundOf({ dataSet, className, draws, scored }: KShotClass): string[] {
  const left = draws.flatMap(({ background }) => background ?? []);
  if (left.length === 0) return [];
  const mean = (of: (one: (typeof left)[number]) => number) =>
    left.reduce((sum, one) => sum + of(one), 0) / left.length;
  const ofGood = percent(mean(({ ofGood, patchesOfGood }) => ofGood / patchesOfGood));
  const tested = scored.normal + scored.anomalous;
  return [
    `${dataSet}/${className}: background left out: ${ofGood} % of the good pictures' patches, ${mean((one) => one.ofTested / tested).toFixed(0)} patches of a tested one; whole, since they show none: ${mean((one) => one.testedWhole).toFixed(1)} of ${tested} tested ones a draw`,
  ];
}

function percent(value: number): string {
  return (100 * value).toFixed(1);
}

function withInterval(figure: KShotFigure | null): string {
  if (figure === null) return 'n/a';
  const { mean, interval } = figure;
  return interval === null
    ? percent(mean)
    : `${percent(mean)} [${percent(interval.low)}, ${percent(interval.high)}]`;
}
