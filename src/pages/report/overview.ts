/** The head of the page: what was tested with what, what has to be known before any figure, and the means at a glance. */
import type { Mean, Means } from '../../metrics/index.js';
import type { TestedDataSet, TestRun } from '../../runs/test-run.js';
import { warningsOf } from '../../runs/warnings.js';
import { type Html, html } from '../html.js';
import { count, percent } from './text.js';

interface Headline {
  group: string;
  name: string;
  of(means: Means): Mean | undefined;
}

const aupro = ({ pixel }: Means) => pixel.aupro.find(({ limit }) => limit === 0.3) ?? pixel.aupro.at(-1);

/** The paper's columns. */
const k_headlines: readonly Headline[] = [
  { group: 'Pictures', name: 'AUROC', of: ({ image }) => image.auroc },
  { group: 'Pictures', name: 'AP', of: ({ image }) => image.ap },
  { group: 'Pictures', name: 'F1max', of: ({ image }) => image.f1Max },
  { group: 'Pixels', name: 'AUROC', of: ({ pixel }) => pixel.auroc },
  { group: 'Pixels', name: 'AUPRO', of: (means) => aupro(means)?.reference200 },
  { group: 'Pixels', name: 'F1max', of: ({ pixel }) => pixel.f1Max },
];

export function overview(run: TestRun): Html {
  const { dataSets, settings } = run;
  const pictures = dataSets.flatMap(({ classes }) => classes.flatMap((one) => one.pictures));
  const anomalous = pictures.filter(({ isAnomalous }) => isAnomalous).length;
  const { normals } = settings;
  // Where nothing was learned normal pictures stand in the place of prompts.
  const prompts = settings.prompts?.sha256 === normals?.sha256 ? null : settings.prompts;
  const warnings = otherWarnings(run);
  return html`<p class="lead">${count(pictures.length, 'picture')} (${anomalous.toLocaleString('en')} anomalous) of ${names(dataSets)}, scored by <b>${settings.modelName}</b>${settings.preset !== null && html` as <b>${settings.preset}</b>`}${prompts && html` with prompts “${prompts.name}”`}${normals && html`, compared with <b>${count(normals.pictures.length, 'normal picture')}</b>`}.</p>
<p class="lead">${prompts === null ? 'Nothing of the method is learned from pictures.' : prompts.learnedOn === null ? 'The prompt file does not say which data sets its prompts were learned on: whether these are zero-shot results is not known.' : prompts.learnedOn.length === 0 ? 'The prompts were learned on no data set.' : html`The prompts were learned on <b>${prompts.learnedOn.join(', ')}</b>.`}</p>
${alarm(dataSets)}
${warnings.length > 0 && html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`}
${dataSets.length === 1 ? tiles(dataSets[0]!) : summaryTable(dataSets)}`;
}

/** All but those that the alarm says already. */
function otherWarnings({ warnings, dataSets }: TestRun): string[] {
  const learned = dataSets.map((set) => ({ ...set, classes: [] }));
  const said = warningsOf(learned, { name: '', sha256: '', learnedOn: [] });
  return warnings.filter((warning) => !said.includes(warning));
}

function names(sets: readonly TestedDataSet[]): string {
  const shown = sets.slice(0, 6).map(({ name }) => name);
  return (
    shown.join(', ') + (sets.length > shown.length ? ` and ${sets.length - shown.length} more data sets` : '')
  );
}

/** The most usual way to fool oneself (and others): testing on what the prompts were learned on. */
function alarm(sets: readonly TestedDataSet[]): Html | null {
  const learned = sets.filter(({ learnedOn }) => learnedOn !== null);
  if (learned.length === 0) return null;
  return html`<div class="alarm"><h2>Not a zero-shot result</h2>
<p>The prompts were learned on ${learned.length === sets.length ? (sets.length === 1 ? 'the tested data set itself' : 'every tested data set') : 'some of the tested data sets'}. Figures of ${learned.length === 1 ? 'this set' : 'these sets'} say how well the prompts remember, not how well they find unknown defects:</p>
<ul>${learned.map(({ name, learnedOn }) => html`<li><b>${name}</b>: ${learnedOn!.why === 'name' ? `learned on ${learnedOn!.detail}` : `learned from ${learnedOn!.detail}`}</li>`)}</ul></div>`;
}

function tiles({ mean, classes }: TestedDataSet): Html {
  return html`<dl class="tiles">${k_headlines.map(({ group, name, of }) => {
    const found = of(mean.leftOut);
    const isPartial = found !== undefined && found.value !== null && found.classes < classes.length;
    return html`<div><dt>${group} <b>${name}</b></dt><dd>${percent(found?.value)}</dd>${isPartial && html`<dd class="what">of ${found.classes} of ${classes.length} classes</dd>`}</div>`;
  })}</dl>`;
}

function summaryTable(sets: readonly TestedDataSet[]): Html {
  const average = ({ of }: Headline) => {
    const values = sets.flatMap(({ mean }) => of(mean.leftOut)?.value ?? []);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const isAnyLearned = sets.some(({ learnedOn }) => learnedOn !== null);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Means of the data sets"><table class="figures summary">
<caption>Mean of each data set's classes in percent, undefined figures left out. AUPRO: to a false-positive rate of 0.3, 200 thresholds, as the reference has it.</caption>
<thead><tr><th rowspan="2" scope="col">data set</th><th rowspan="2" scope="col" class="count">pictures</th><th colspan="3" scope="colgroup">Pictures</th><th colspan="3" scope="colgroup" class="begins">Pixels</th></tr>
<tr>${k_headlines.map(({ name }, at) => html`<th scope="col"${at === 3 && html` class="begins"`}>${name}</th>`)}</tr></thead>
<tbody>${sets.map((set, index) => html`<tr><th scope="row"><a href="#set-${index}">${set.name}</a>${set.learnedOn !== null && html` <small class="bad">learned on</small>`}</th><td class="count">${set.classes.reduce((sum, one) => sum + one.pictures.length, 0)}</td>${k_headlines.map(({ of }, at) => html`<td${at === 3 && html` class="begins"`}>${percent(of(set.mean.leftOut)?.value)}</td>`)}</tr>`)}</tbody>
<tbody class="means"><tr><th scope="row">average of the data sets${isAnyLearned && html`<small class="bad">with sets that the prompts were learned on</small>`}</th><td></td>${k_headlines.map((headline, at) => html`<td${at === 3 && html` class="begins"`}>${percent(average(headline))}</td>`)}</tr></tbody>
</table></div>`;
}
