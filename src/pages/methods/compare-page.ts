/** report.html of several methods on the same data: one table a data set, and the maps of the same picture side by side. */
import { mapColours } from '../../methods/registry.js';
import { dataUrl, Html, html } from '../html.js';
import { scoreText } from '../report/text.js';
import { baseStyle } from '../style.js';
import type { ComparedPicture, ComparedPictures, ComparedRun } from './compared-pictures.js';

export interface CompareTable {
  dataSet: string;
  heads: string[];
  rows: { label: string; isPublished: boolean; cells: string[] }[];
}

export interface ComparePage {
  title: string;
  tables: readonly CompareTable[];
  /** of the data sets, below the tables */
  notes: readonly string[];
  runs: readonly ComparedRun[];
  pictures: ComparedPictures;
  /** what a reader has to know, the weightiest first: those after the first few are folded */
  warnings: readonly string[];
}

/** So many are open: with more, the tables would begin a screen or two below. */
const k_openWarnings = 3;

const k_style = `
table { border-collapse: collapse; margin: .75rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th[scope=col] { white-space: normal; min-width: 3.6rem; vertical-align: bottom; }
th[scope=row] { text-align: left; font-weight: 600; }
tr.published th, tr.published td { color: var(--soft); font-style: italic; font-weight: 400; }
.scroll { overflow-x: auto; }
.views { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .75rem; margin: .5rem 0 1.5rem; }
figure { margin: 0; max-width: 15rem; }
figure img { display: block; width: 100%; height: auto; border-radius: .25rem; background: var(--card); }
.stack { position: relative; }
.stack img.mask { position: absolute; inset: 0; background: none; }
.notes { font-size: .88rem; color: var(--soft); overflow-wrap: anywhere; }
figcaption { font-size: .85rem; color: var(--soft); }
h4 { margin: 1rem 0 .25rem; overflow-wrap: anywhere; }
`;

export function* comparePage({
  title,
  tables,
  notes,
  runs,
  pictures,
  warnings,
}: ComparePage): Generator<Html> {
  yield html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title><style>${new Html(baseStyle + k_style)}</style></head>
<body><main><h1>${title}</h1>
${warningList(warnings.slice(0, k_openWarnings))}${
  warnings.length > k_openWarnings &&
  html`<details><summary>${warnings.length - k_openWarnings} more to know before figures are compared</summary>${warningList(warnings.slice(k_openWarnings))}</details>`
}
`;
  for (const { dataSet, heads, rows } of tables)
    yield html`<h2>${dataSet}</h2>
<div class="scroll"><table><thead><tr><th scope="col"></th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(({ label, isPublished, cells }) => html`<tr${isPublished && html` class="published"`}><th scope="row">${label}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>
`;
  yield html`<p>Means over the classes that have the figure, in percent. Each method is a run of its own, with a report of its own, below cells/.</p>
${notes.map((note) => html`<p class="notes">${note}</p>`)}
<h2>The same pictures</h2>
<p>The first normal and the first anomalous pictures of each class, whatever their scores, with the outline of the mask. Colours run over what a method's maps may be: ${runs.map(({ label, run }, at) => html`${at > 0 && ', '}${label} ${rangeText(run)}`)}.</p>
${pictures.notes.map((note) => html`<p class="notes">${note}</p>`)}
`;
  for (const picture of pictures.pictures) yield pictureRow(picture, runs);
  yield html`</main></body></html>\n`;
}

function warningList(warnings: readonly string[]): Html | false {
  return (
    warnings.length > 0 && html`<ul class="warnings">${warnings.map((text) => html`<li>${text}</li>`)}</ul>`
  );
}

function pictureRow(
  { dataSet, className, path, isAnomalous, views }: ComparedPicture,
  runs: readonly ComparedRun[],
): Html {
  const drawn = views.find((view) => view !== undefined);
  return html`<h4>${dataSet}${className !== dataSet && html`: ${className}`}: ${path} (${isAnomalous ? 'anomalous' : 'normal'})</h4>
<div class="views">${drawn && figure('picture', `picture ${path}`, drawn.original, drawn)}${views.map(
    (view, at) => {
      const { label } = runs[at]!;
      if (!view) return html`<figure><figcaption>${label}: not shown</figcaption></figure>`;
      const caption = `${label}, score ${scoreText(view.picture.score)}`;
      return figure(caption, `map of ${path} by ${label}`, view.overlay ?? view.original, view);
    },
  )}</div>
`;
}

function figure(
  caption: string,
  alt: string,
  bytes: Uint8Array,
  { width, height, outline }: { width: number; height: number; outline: Uint8Array | null },
): Html {
  const size = html`width="${width}" height="${height}" loading="lazy" decoding="async"`;
  return html`<figure><div class="stack"><img alt="${alt}" ${size} src="${dataUrl(bytes, 'jpeg')}">${outline && html`<img class="mask" alt="" ${size} src="${dataUrl(outline, 'png')}">`}</div><figcaption>${caption}</figcaption></figure>`;
}

function rangeText({ settings }: ComparedRun['run']): string {
  const { low, high } = mapColours(settings);
  return `${low} to ${high}`;
}
