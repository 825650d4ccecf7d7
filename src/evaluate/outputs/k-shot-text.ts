/** The table of a k-shot test on a terminal. */
import { bankText } from '../../normals/bank-facts.js';
import type { Paint } from '../../terminal/paint.js';
import { visible } from '../../terminal/visible.js';
import type { KShotFigure, KShotRun } from '../k-shot-run.js';
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
    paint.dim(
      visible(
        `${model}, ${learned}; ${seeds.length} draws from the ${from} split, 95 % intervals over the draws`,
      ),
    ),
  ]
    .map((text) => `${text}\n`)
    .join('');
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
