/** The tables of figures: one row a class in the paper's column order, both conventions of the mean, the paper's row. */
import type { Mean, Means, Metric } from '../../metrics/index.js';
import type { PublishedRow } from '../../runs/paper/published.js';
import type { ImageIntervals, Interval, TestedClass, TestedDataSet } from '../../runs/test-run.js';
import { type Html, html } from '../html.js';
import { count, Footnotes, percent } from './text.js';

interface Column {
  group: string;
  name: string;
  /** what parts it from a column of the same name */
  detail?: string;
  of(one: TestedClass): Metric;
  mean(means: Means): Mean;
  interval?(one: ImageIntervals): Interval | null;
  /** percent, as printed in the paper */
  paper?(row: PublishedRow): number | undefined;
}

/** The paper's six columns come first (its Table 1), then what it does not print. */
export function columnsOf(set: TestedDataSet): Column[] {
  const limits = set.classes[0]?.metrics.pixel.aupro.map(({ limit }) => limit) ?? [];
  const at = limits.indexOf(0.3) >= 0 ? limits.indexOf(0.3) : limits.length - 1;
  const aupro: Column[] = limits.flatMap((limit, index): Column[] => [
    {
      group: 'Pixels',
      name: `AUPRO ${limit}`,
      detail: 'reference',
      of: ({ metrics }) => metrics.pixel.aupro[index]!.reference200,
      mean: ({ pixel }) => pixel.aupro[index]!.reference200,
      ...(index === at ? { paper: ({ pixel }: PublishedRow) => pixel?.aupro } : {}),
    },
    {
      group: 'Pixels',
      name: `AUPRO ${limit}`,
      detail: 'exact',
      of: ({ metrics }) => metrics.pixel.aupro[index]!.exact,
      mean: ({ pixel }) => pixel.aupro[index]!.exact,
    },
  ]);
  const published = aupro.slice(2 * at, 2 * at + 1);
  const others = [
    ...aupro.slice(2 * at + 1, 2 * at + 2),
    ...aupro.slice(0, 2 * at),
    ...aupro.slice(2 * at + 2),
  ];
  return [
    {
      group: 'Pictures',
      name: 'AUROC',
      of: ({ metrics }) => metrics.image.auroc,
      mean: ({ image }) => image.auroc,
      interval: ({ auroc }) => auroc,
      paper: ({ image }) => image?.auroc,
    },
    {
      group: 'Pictures',
      name: 'AP',
      of: ({ metrics }) => metrics.image.ap,
      mean: ({ image }) => image.ap,
      interval: ({ ap }) => ap,
      paper: ({ image }) => image?.ap,
    },
    {
      group: 'Pictures',
      name: 'F1max',
      of: ({ metrics }) => metrics.image.f1Max,
      mean: ({ image }) => image.f1Max,
      interval: ({ f1Max }) => f1Max,
      paper: ({ image }) => image?.f1Max,
    },
    {
      group: 'Pixels',
      name: 'AUROC',
      of: ({ metrics }) => metrics.pixel.auroc,
      mean: ({ pixel }) => pixel.auroc,
      paper: ({ pixel }) => pixel?.auroc,
    },
    ...published,
    {
      group: 'Pixels',
      name: 'F1max',
      of: ({ metrics }) => metrics.pixel.f1Max,
      mean: ({ pixel }) => pixel.f1Max,
      paper: ({ pixel }) => pixel?.f1Max,
    },
    {
      group: 'Pixels',
      name: 'AP',
      of: ({ metrics }) => metrics.pixel.ap,
      mean: ({ pixel }) => pixel.ap,
    },
    ...others,
  ];
}

function range(interval: Interval | null | undefined): Html | null {
  return interval ? html`<small>${percent(interval.low)}–${percent(interval.high)}</small>` : null;
}

export function figuresTable(set: TestedDataSet): Html {
  const columns = columnsOf(set);
  const notes = new Footnotes();
  const imageColumns = columns.filter(({ group }) => group === 'Pictures').length;
  const rows = set.classes.map((one) => classRow(one, columns, set, notes));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Figures of ${set.name}">
<table class="figures">
<caption>Percent. The number behind AUPRO is its limit of the false-positive rate; reference: its 200 thresholds, exact: every score. ${set.classes.some(({ intervals }) => intervals) && 'Below a figure: its 95 % bootstrap interval over pictures.'}</caption>
<thead>
<tr><th rowspan="2" scope="col">class</th><th rowspan="2" scope="col" class="count">pictures<small>normal + anomalous</small></th><th colspan="${imageColumns}" scope="colgroup">Pictures</th><th colspan="${columns.length - imageColumns}" scope="colgroup" class="begins">Pixels</th></tr>
<tr>${columns.map(({ name, detail }, index) => html`<th scope="col"${begins(index, imageColumns)}>${name}${detail && html`<small>${detail}</small>`}</th>`)}</tr>
</thead>
<tbody>${rows}</tbody>
${meanRows(set, columns, imageColumns)}
</table>
</div>
${notes.list()}
${set.paper && paperNotes(set.paper)}`;
}

/** The mean of a single class is that class, and is not said twice. */
function meanRows(set: TestedDataSet, columns: Column[], imageColumns: number): Html | null {
  const { leftOut, asZero } = set.mean;
  const number = set.classes.length;
  const isPartial = columns.some(({ mean }) => mean(leftOut).classes < number);
  if (number === 1 && !set.paper) return null;
  const cells = (cell: (column: Column) => Html | string) =>
    columns.map((column, index) => html`<td${begins(index, imageColumns)}>${cell(column)}</td>`);
  return html`<tbody class="means">
<tr><th scope="row">mean of ${count(number, 'class', 'classes')}${isPartial && html`<small>undefined figures left out</small>`}</th><td></td>${cells(({ mean, interval }) => html`${meanCell(mean(leftOut), number)}${range(set.intervals && interval?.(set.intervals))}`)}</tr>
${isPartial && html`<tr><th scope="row">the same mean<small>undefined figures as 0, the reference's convention</small></th><td></td>${cells(({ mean }) => percent(mean(asZero).value))}</tr>`}
${paperRow(set, columns, imageColumns)}
</tbody>`;
}

function begins(index: number, imageColumns: number): Html | false {
  return index === imageColumns && html` class="begins"`;
}

function classRow(one: TestedClass, columns: Column[], set: TestedDataSet, notes: Footnotes): Html {
  const { className, metrics, failed } = one;
  const published =
    set.paper && Object.hasOwn(set.paper.classes, className) ? set.paper.classes[className] : undefined;
  const { normal, anomalous } = metrics.image;
  const imageColumns = columns.filter(({ group }) => group === 'Pictures').length;
  return html`<tr><th scope="row">${className}${failed > 0 && html`<small class="bad">${failed} failed</small>`}</th><td class="count">${normal} + ${anomalous}</td>${columns.map(
    (column, index) => {
      const interval = one.intervals && column.interval?.(one.intervals);
      const paper = published && column.paper?.(published);
      return html`<td${begins(index, imageColumns)}>${metricCell(column.of(one), notes)}${range(interval)}${paper !== undefined && html`<small class="paper">paper ${paper.toFixed(1)}${set.paper?.areRowsDoubtful && '?'}</small>`}</td>`;
    },
  )}</tr>`;
}

function metricCell({ value, reason }: Metric, notes: Footnotes): Html | string {
  return value === null ? notes.notAvailable(reason ?? 'not defined') : percent(value);
}

function meanCell({ value, classes }: Mean, all: number): Html | string {
  if (value === null) return 'n/a';
  return classes === all ? percent(value) : html`${percent(value)}<small>of ${classes}</small>`;
}

function paperRow(set: TestedDataSet, columns: Column[], imageColumns: number): Html | null {
  const { paper } = set;
  if (!paper) return null;
  return html`<tr class="paper"><th scope="row">paper, ${paper.column}<small>mean of ${paper.dataSet}; ours minus it below</small></th><td></td>${columns.map(
    (column, index) => {
      const published = column.paper?.(paper.mean);
      if (published === undefined) return html`<td${begins(index, imageColumns)}>–</td>`;
      const ours = column.mean(set.mean.leftOut).value;
      return html`<td${begins(index, imageColumns)}>${published.toFixed(1)}${ours !== null && html`<small>${difference(100 * ours - published)}</small>`}</td>`;
    },
  )}</tr>`;
}

function difference(value: number): string {
  const text = Math.abs(value).toFixed(1);
  return text === '0.0' ? '±0.0' : `${value < 0 ? '−' : '+'}${text}`;
}

function paperNotes({
  tables,
  errata,
  notComparable,
  areRowsDoubtful,
}: NonNullable<TestedDataSet['paper']>): Html {
  return html`<div class="notes"><p>The paper's figures: Table ${tables.join(', ')}.${areRowsDoubtful && ' Its rows of classes may stand beside wrong labels: only their mean is sure.'}</p>
${notComparable.length > 0 && html`<p>Why ours need not equal them:</p><ul>${notComparable.map((reason) => html`<li>${reason}</li>`)}</ul>`}
${errata.length > 0 && html`<p>Known faults of the printed tables:</p><ul>${errata.map((erratum) => html`<li>${erratum}</li>`)}</ul>`}</div>`;
}
