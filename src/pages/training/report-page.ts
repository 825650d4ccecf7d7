/** report.html: the losses of one or several runs on one self-contained page, light and dark, printable. */

import { methodName } from '../../methods/descriptor.js';
import { type LossHistory, type LossTerm, lossTerms } from '../../runs/loss-history.js';
import { type Spread, spreadOf } from '../../runs/spread.js';
import type { TrainedTexts } from '../../runs/training-fingerprint.js';
import type { RunRecord } from '../../runs/training-record.js';
import { escapeHtml } from '../html.js';
import { baseStyle, colours, lineColours } from '../style.js';
import { chartSvg, type Line } from './loss-chart.js';

const k_titles: Record<LossTerm, string> = {
  total: 'Total loss',
  focal: 'Focal loss of the maps',
  dice: 'Dice loss of the maps',
  image: "Cross entropy of the picture's score",
};
const k_shownOrder: LossTerm[] = ['total', 'focal', 'dice', 'image'];

/** Losses are missing for a run that had no step yet. */
export interface ReportRun {
  record: RunRecord;
  losses: LossHistory;
}

export function reportPage({ record, losses }: ReportRun): string {
  const { options, epochs } = record;
  const stepsPerEpoch = Math.ceil(record.data.pictures / options.batchSize);
  const charts = k_shownOrder.map((term) => {
    const steps: Line = {
      label: 'each step',
      className: 'step',
      dots: false,
      points: Array.from(losses.term(term), (y, at) => ({ x: (at + 1) / stepsPerEpoch, y })),
    };
    const means: Line = {
      label: 'mean of an epoch',
      className: 'mean',
      dots: true,
      points: epochs.map(({ epoch, losses: mean }) => ({
        x: epoch,
        y: mean[term],
        title: `epoch ${epoch}: ${fixed(mean[term])}`,
      })),
    };
    return figure(
      titleOf(term, record),
      chartSvg({ title: titleOf(term, record), xLabel: 'epochs', lines: [steps, means] }),
    );
  });
  return page(`Learned prompts, seed ${record.seed}`, [
    `<p class="${record.status}">${escapeHtml(statusText(record))}</p>`,
    warning(record.data.learnedOn),
    '<p class="legend"><span class="step">each step</span> <span class="mean">mean of an epoch</span></p>',
    `<div class="charts">${charts.join('\n')}</div>`,
    '<h2>Epochs</h2>',
    table(
      ['epoch', 'steps', ...lossTerms, 'prompts'],
      epochs.map(({ epoch, steps, losses: mean, checkpoint }) => [
        String(epoch),
        String(steps),
        ...lossTerms.map((term) => fixed(mean[term])),
        checkpoint,
      ]),
    ),
    '<h2>Pictures</h2>',
    dataTable(record),
    record.notes.length > 0
      ? `<ul>${record.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>`
      : '',
    '<h2>Made with</h2>',
    facts(record),
  ]);
}

/** Several runs that differ in their seed alone. */
export function seedsPage(runs: readonly ReportRun[]): string {
  const first = runs[0]!.record;
  const charts = k_shownOrder.map((term) => {
    const lines = runs.map(
      ({ record }, at): Line => ({
        label: `seed ${record.seed}`,
        className: `mean ${colourClass(at)}`,
        dots: true,
        points: record.epochs.map(({ epoch, losses }) => ({
          x: epoch,
          y: losses[term],
          title: `seed ${record.seed}, epoch ${epoch}: ${fixed(losses[term])}`,
        })),
      }),
    );
    return figure(titleOf(term, first), chartSvg({ title: titleOf(term, first), xLabel: 'epochs', lines }));
  });
  const spread = (term: LossTerm) => spreadOf(runs.map(({ record }) => record.losses?.[term] ?? Number.NaN));
  const row = (name: string, of: (spread: Spread) => number) => [
    name,
    ...lossTerms.map((term) => fixed(of(spread(term)))),
  ];
  return page(`Learned prompts, ${runs.length} seeds`, [
    warning(first.data.learnedOn),
    '<p>Each line is one run. Their options are equal but for the seed.</p>',
    `<p class="legend">${runs.map(({ record }, at) => `<span class="mean ${colourClass(at)}">seed ${record.seed}</span>`).join(' ')}</p>`,
    `<div class="charts">${charts.join('\n')}</div>`,
    '<h2>Last epoch</h2>',
    table(
      ['seed', ...lossTerms],
      [
        ...runs.map(({ record }) => [
          String(record.seed),
          ...lossTerms.map((term) => fixed(record.losses?.[term] ?? Number.NaN)),
        ]),
        row('mean', ({ mean }) => mean),
        row('standard deviation', ({ deviation }) => deviation),
        row('lowest', ({ lowest }) => lowest),
        row('highest', ({ highest }) => highest),
      ],
    ),
    '<h2>Pictures</h2>',
    dataTable(first),
    '<h2>Made with</h2>',
    facts(first),
  ]);
}

function colourClass(run: number): string {
  return `c${run % lineColours.length}`;
}

function titleOf(term: LossTerm, { options }: RunRecord): string {
  if (term !== 'image') return k_titles[term];
  const counts =
    (options.imageLossWeight ?? 0) === 0
      ? 'not part of the total'
      : `counts ${options.imageLossWeight} times`;
  return `${k_titles.image} (${counts})`;
}

function warning(learnedOn: readonly string[]): string {
  const names = escapeHtml(learnedOn.join(', '));
  return `<p class="warning"><strong>Learned on ${names}.</strong> What these prompts score on ${names} is no zero-shot result: report it on other data sets only.</p>`;
}

function statusText({ status, epochs, options, seconds, error }: RunRecord): string {
  const done = `${epochs.length} of ${options.epochs} epochs in ${seconds.toFixed(1)} s`;
  if (status === 'complete') return done;
  return `${status}: ${done}${error ? ` (${error.message})` : ''}`;
}

function dataTable({ data }: RunRecord): string {
  const rows = data.sets.flatMap((set) =>
    set.classes.map(({ className, normal, anomalous, withMask }) => [
      `${set.name} (${set.split})`,
      className,
      String(normal),
      String(anomalous),
      String(withMask),
    ]),
  );
  return table(['data set', 'class', 'normal', 'anomalous', 'of these with mask'], rows);
}

function facts({ made, versions, options, features }: RunRecord): string {
  const { machine } = made;
  const [beta1, beta2] = options.betas;
  const decay = options.weightDecay ? `W (weights shrink by ${options.weightDecay})` : '';
  const rows: [string, string][] = [
    ['Model', `${made.model}, weights ${made.weights.map((hash) => hash.slice(0, 12)).join(', ')}`],
    ['Method', methodName(made.method)],
    ['Texts', textsOf(made.texts)],
    [
      'Optimiser',
      `Adam${decay}, ${options.learningRate}, ${beta1}, ${beta2}; ${options.batchSize} pictures a step; order ${options.order}`,
    ],
    ...(options.guidance === undefined ? [] : [['Guidance', options.guidance] as [string, string]]),
    ['Features', `${features.key}, ${options.cachePrecision}`],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    [
      'Machine',
      `${machine.cpu}, ${machine.device}, ${machine.threads} threads, ${machine.isa}, ${machine.precision}, kernels ${machine.kernels}`,
    ],
  ];
  return `<dl class="facts">${rows.map(([term, value]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}

/** A record of the first version has the pair of Crane. */
function textsOf(texts: TrainedTexts): string {
  return 'normal' in texts
    ? `${texts.normal} / ${texts.anomalous}`
    : `sentences of ${texts.classes.join(', ')}`;
}

function figure(title: string, svg: string): string {
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>${svg}</figure>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</tbody></table></div>`;
}

function fixed(value: number): string {
  return Number.isFinite(value) ? value.toFixed(4) : 'n/a';
}

function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${parts.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`;
}

const style = `${baseStyle}
${colours({ step: ['#8fb4dc', '#4a6f96'], strong: ['#14508c', '#9cc9f5'] })}
h2 { font-size: 1.15rem; margin: 1.75rem 0 .5rem; }
.legend span::before { content: ''; display: inline-block; width: 1.6rem; height: .2rem; margin-right: .4rem; vertical-align: middle; background: var(--step); }
.legend span.mean::before { background: var(--strong); height: .3rem; }
.legend span + span { margin-left: 1.25rem; }
.charts { margin-top: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 13px; font-family: inherit; }
svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); }
svg polyline { fill: none; stroke-linejoin: round; }
svg polyline.step { stroke: var(--step); stroke-width: 1.25; }
svg polyline.mean { stroke: var(--strong); stroke-width: 2; }
svg circle.mean { fill: var(--strong); stroke: var(--card); stroke-width: 1.5; }
th, td { text-align: left; }
${colours(Object.fromEntries(lineColours.map((pair, at) => [`run${at}`, pair])))}
${lineColours.map((_, at) => `svg polyline.c${at} { stroke: var(--run${at}); } svg circle.c${at} { fill: var(--run${at}); } .legend span.c${at}::before { background: var(--run${at}); }`).join('\n')}
@media print { .charts { grid-template-columns: 1fr 1fr; } }
`;
