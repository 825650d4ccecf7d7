/** The curves of a data set with their toggles, and the same values as a table. */

import type { TestedDataSet } from '../../runs/test-run.js';
import { type Html, html } from '../html.js';
import { lineChart } from './chart.js';
import { lookOf, meanLook, pooledLook, type Series, valueAt } from './series.js';
import { curvesOf, type SetCurve } from './set-curves.js';
import { percent } from './text.js';

/** Places on x whose values the table tells. */
const k_shares = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1];
/** With more classes than this, single lines cannot be told apart at once: they begin hidden. */
const k_mostLines = 16;

export function curveSection(set: TestedDataSet, index: number): Html | null {
  const curves = curvesOf(set);
  if (curves.length === 0) return null;
  const isCrowded = set.classes.length > k_mostLines;
  const looks = new Set(curves.flatMap(({ series }) => series.map(({ look }) => look)));
  const together = [
    { look: meanLook, label: 'mean of the classes' },
    { look: pooledLook, label: 'all pictures together' },
  ].filter(({ look }) => looks.has(look));
  return html`<div class="curves" data-set="${index}">
${
  set.classes.length > 1 &&
  html`<fieldset class="toggles scripted"><legend>Lines</legend>
${together.map(({ look, label }) => toggle(look, label, true, false))}
<button type="button" data-show="all">all classes</button><button type="button" data-show="none">no class</button>
${set.classes.map(({ className }, at) => toggle(lookOf(at), className, !isCrowded, true))}
</fieldset>
<ul class="key">${[...together, ...set.classes.map(({ className }, at) => ({ look: lookOf(at), label: className }))].map(({ look, label }) => html`<li>${sample(look)} ${label}</li>`)}</ul>`
}
<div class="charts">${curves.map((curve) => figure(curve))}</div>
</div>`;
}

function toggle(look: string, label: string, isChecked: boolean, isClass: boolean): Html {
  return html`<label><input type="checkbox" data-look="${look}"${isChecked && html` checked`}${isClass && html` data-is-class`}>${sample(look)} ${label}</label>`;
}

function sample(look: string): Html {
  return html`<svg class="sample" viewBox="0 0 28 8" aria-hidden="true"><path class="line ${look}" d="M0,4H28"/></svg>`;
}

function figure(curve: SetCurve): Html {
  const dot = !curve.followsThreshold ? undefined : curve.xLabel === 'recall' ? 'pr' : 'roc';
  return html`<figure><figcaption>${curve.title}</figcaption>
${lineChart({ ...curve, ...(dot === undefined ? {} : { dot }) })}
<details><summary>Values</summary>${valueTable(curve)}</details></figure>`;
}

function valueTable({ title, xLabel, yLabel, xMax, series }: SetCurve): Html {
  const xs = k_shares.map((share) => Number((share * xMax).toPrecision(3)));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Values of ${title}"><table><caption>${yLabel} in percent at a ${xLabel} of</caption>
<thead><tr><td></td>${xs.map((x) => html`<th scope="col">${x}</th>`)}</tr></thead>
<tbody>${series.map((line) => html`<tr><th scope="row">${line.label}</th>${xs.map((x) => html`<td>${valueText(line, x)}</td>`)}</tr>`)}</tbody></table></div>`;
}

function valueText({ points, isStep }: Series, x: number): string {
  const value = valueAt(points, x, isStep);
  return value === undefined ? '–' : percent(value);
}
