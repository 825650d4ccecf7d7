/** A contact sheet as one HTML page without scripts: pictures by split, class and kind, masks laid over them, findings beside them. Pure text. */

import type { CheckReport } from '../../data/check/check-data-set.js';
import { findingTable } from '../../data/check/finding.js';
import { CraneError } from '../../errors.js';
import { dataUrl, type Html, html } from '../html.js';
import { baseStyle } from '../style.js';
import type { SheetGroup, SheetPicture } from './choose.js';
import type { Thumbnail } from './thumbnail.js';

export interface SheetPage {
  report: CheckReport;
  groups: readonly SheetGroup[];
  thumbnailOf(picture: SheetPicture): Thumbnail | CraneError;
}

/** Paths of a finding that a page names. */
const k_paths = 6;

const k_style = `${baseStyle}
.thumbs { list-style: none; padding: 0; margin: .5rem 0 1.25rem; display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.thumbs li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .4rem; min-width: 0; font-size: .8rem; line-height: 1.35; break-inside: avoid; }
.thumbs .odd { border-color: var(--warn); } .thumbs .fault { border-color: var(--wrong); }
.stack { display: flex; justify-content: center; aspect-ratio: 1; align-items: center; background: var(--ground); border-radius: .2rem; overflow: hidden; }
.frame { position: relative; max-width: 100%; } .stack .frame img { max-width: 100%; height: auto; }
.frame .outline { position: absolute; inset: 0; width: 100%; height: 100%; }
.name { overflow-wrap: anywhere; display: block; margin-top: .3rem; }
.found { display: block; margin-top: .2rem; padding-left: .4rem; border-left: .2rem solid var(--warn); overflow-wrap: anywhere; } .fault .found { border-color: var(--wrong); }
.soft { color: var(--soft); } h3 { font-size: 1.05rem; margin: 1.4rem 0 .2rem; overflow-wrap: anywhere; } h4 { font-size: .95rem; margin: .8rem 0 0; overflow-wrap: anywhere; }
.kind-normal { color: var(--normal); } .kind-anomalous { color: var(--anomalous-ink); }
.groups { display: block; }
code { overflow-wrap: anywhere; } details { margin: .3rem 0; }
`;

export function* sheetPage({ report, groups, thumbnailOf }: SheetPage): Generator<string> {
  const shown = groups.reduce((sum, group) => sum + group.shown.length, 0);
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const odd = groups.reduce((sum, group) => sum + group.withFindings, 0);
  const oddShown = groups.reduce(
    (sum, group) => sum + group.shown.filter(({ findings }) => findings.length > 0).length,
    0,
  );
  yield html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${report.name}: contact sheet</title>`.text;
  yield `<style>${k_style}</style></head><body><main>`;
  yield html`<h1>${report.name}</h1>
<p>Read as ${report.layout} (${report.layoutReason}). ${report.normalKinds.length > 0 && html`Normal: ${report.normalKinds.join(', ')}.`}</p>
<p><strong>${shown === count ? `All ${count} pictures` : `${shown} of ${count} pictures`}</strong> are shown${shown < count && ', evenly chosen from each kind'}; ${odd} have findings${oddShown < odd && html`, of which ${oddShown} are shown`}. What masks mark is cyan; a single marked pixel is drawn too.</p>
`.text;
  yield findingsOf(report).text;
  yield '<input type="checkbox" id="outlines" checked> <label for="outlines">show what is marked</label>';
  let split = '';
  let className: string | undefined;
  yield '<div class="cards groups">';
  for (const group of groups) {
    if (group.split !== split) yield html`<h2>${group.split}</h2>`.text;
    if (group.split !== split || group.className !== className) yield html`<h3>${group.className}</h3>`.text;
    ({ split, className } = group);
    yield html`<h4><span class="kind-${group.isAnomalous ? 'anomalous' : 'normal'}">${group.isAnomalous ? 'anomalous' : 'normal'}</span> ${group.kind} <span class="soft">${group.shown.length === group.count ? group.count : `${group.shown.length} of ${group.count}`}${group.withFindings > 0 && `, ${group.withFindings} with findings`}</span></h4>`
      .text;
    yield '<ul class="thumbs">';
    for (const picture of group.shown) yield card(picture, thumbnailOf(picture)).text;
    yield '</ul>';
  }
  yield '</div></main></body></html>\n';
}

function findingsOf({ findings, faults, warnings, notes }: CheckReport): Html {
  const kinds = [...new Set(findings.map(({ kind }) => kind))];
  if (kinds.length === 0)
    return html`<p>Nothing was found that is wrong or odd.</p>${notes.map((note) => html`<p>${note}</p>`)}`;
  return html`<h2>${faults} ${faults === 1 ? 'fault' : 'faults'} and ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}</h2>
${kinds.map((kind) => {
  const of = findings.filter((finding) => finding.kind === kind);
  const paths = of.flatMap((finding) => finding.paths);
  const more = paths.length - k_paths;
  return html`<details><summary>${of[0]!.severity}: ${findingTable[kind].what} (${of.length})</summary>
<p class="soft">${paths.slice(0, k_paths).join(', ')}${more > 0 && ` and ${more} more`}${of[0]!.detail !== undefined && html`; ${of[0]!.detail}`}</p>
${of[0]!.mend !== undefined && html`<p>${of[0]!.mend}</p>`}</details>`;
})}
${notes.map((note) => html`<p>${note}</p>`)}
`;
}

function card({ item, findings }: SheetPicture, shown: Thumbnail | CraneError): Html {
  const isFault = shown instanceof CraneError || findings.some(({ severity }) => severity === 'fault');
  const name = item.imagePath.split('/').at(-1)!;
  const look = isFault ? 'fault' : findings.length > 0 ? 'odd' : '';
  return html`<li class="${look}">${pictureOf(shown, `${item.imagePath}${item.isAnomalous ? ', anomalous' : ''}`)}
<span class="name" title="${item.imagePath}">${name}</span><span class="soft">${factsOf(item.masks.length, item.isAnomalous, shown)}</span>
${findings.map((finding) => html`<span class="found">${findingTable[finding.kind].what}${finding.detail !== undefined && html`: ${finding.detail}`}</span>`)}</li>
`;
}

function pictureOf(shown: Thumbnail | CraneError, alt: string): Html {
  if (shown instanceof CraneError) return html`<div class="stack">cannot be read</div>`;
  const { picture, marks, width, height } = shown;
  return html`<div class="stack"><div class="frame"><img src="${dataUrl(picture, 'jpeg')}" width="${width}" height="${height}" alt="${alt}" loading="lazy">${
    marks !== null && html`<img class="outline" src="${dataUrl(marks, 'png')}" alt="" loading="lazy">`
  }</div></div>`;
}

function factsOf(masks: number, isAnomalous: boolean, shown: Thumbnail | CraneError): string {
  if (masks === 0) return isAnomalous ? 'no mask' : '';
  if (shown instanceof CraneError || shown.marked === null) return 'mask not shown';
  const percent = 100 * shown.marked;
  const share = percent === 0 || percent >= 0.1 ? percent.toFixed(1) : '< 0.1';
  return `${share} % marked${masks > 1 ? `, ${masks} masks` : ''}`;
}
