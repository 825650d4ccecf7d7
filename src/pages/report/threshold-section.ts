/** What a threshold does: histograms, a slider, and the counts that follow it. Without script it shows one threshold. */

import type { TestRun } from '../../runs/test-run.js';
import { type Html, html, jsonData } from '../html.js';
import { histogramChart } from './histogram.js';
import {
  bestF1Threshold,
  type ClassScores,
  countsAt,
  type GroupCounts,
  type ScoreGroups,
} from './score-groups.js';
import { percent, scoreText } from './text.js';

export interface StartThreshold {
  value: number;
  why: string;
}

/** Steps of the slider: an arrow key moves by one, Page Up and Page Down by a tenth. */
const k_steps = 1000;

export function startThreshold(run: TestRun, groups: ScoreGroups): StartThreshold {
  const { threshold } = run.settings;
  if (threshold !== null) return { value: threshold, why: "the model's threshold" };
  const best = bestF1Threshold(groups.classes);
  if (best !== undefined) return { value: best, why: 'the best F1 of these pictures' };
  return { value: groups.high, why: 'the highest score' };
}

export function thresholdSection(run: TestRun, groups: ScoreGroups, start: StartThreshold): Html {
  const { low, high } = axisOf(groups);
  const all = countsAt(groups.classes, start.value);
  const at = Math.round(((start.value - low) / (high - low)) * k_steps);
  const stored = run.settings.threshold;
  return html`<section id="threshold" aria-labelledby="threshold-title">
<h2 id="threshold-title">Threshold</h2>
<p>A picture is called anomalous when its score is at or above the threshold. ${stored === null ? 'The model has no threshold for these settings: choose one here, or with crane-native calibrate.' : `The model's threshold for these settings is ${scoreText(stored)}.`} A threshold chosen by the tested pictures is too good on them: check it on others.</p>
<div class="panel">
<div class="controls">
<label class="scripted">Pictures of <select id="group">${groups.groups.map(({ label }, index) => html`<option value="${index}">${label}</option>`)}</select></label>
<span class="scripted presets" role="group" aria-label="Set the threshold to">${stored !== null && html`<button type="button" data-choose="stored">model's</button>`}<button type="button" data-choose="f1">best F1</button><button type="button" data-choose="far" data-rate="0.01">≤ 1 % false alarms</button><button type="button" data-choose="far" data-rate="0.05">≤ 5 %</button></span>
</div>
<div class="histograms">${groups.groups.map(({ label, classes }, group) => html`${histogramChart({ label, classes: classes.map((index) => groups.classes[index]!), low, high, group, isShown: group === 0, threshold: start.value })}`)}</div>
<div class="slider scripted"><label for="threshold-range">Threshold</label><input type="range" id="threshold-range" min="0" max="${k_steps}" step="1" value="${Math.max(0, Math.min(k_steps, at))}" aria-valuetext="${scoreText(start.value)}"><input type="number" id="threshold-value" step="any" value="${Number(start.value.toPrecision(6))}" aria-label="Threshold as a number"></div>
<p id="said" class="said" role="status">At ${scoreText(start.value)} (${start.why}), ${groups.groups[0]?.label}:</p>
<div class="outcome">
${confusion(all)}
${rates(all)}
</div>
</div>
<details${groups.classes.length <= 20 && html` open`}><summary>Each class at this threshold</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Each class at this threshold"><table id="per-class">
<thead><tr><th scope="col">data set</th><th scope="col">class</th><th scope="col">found</th><th scope="col">missed</th><th scope="col">false alarms</th><th scope="col">rightly normal</th><th scope="col">precision</th><th scope="col">recall</th><th scope="col">false-alarm rate</th></tr></thead>
<tbody>${groups.classes.map((one) => classRow(one, run, start.value))}</tbody>
</table></div></details>
<script type="application/json" id="scores">${jsonData({ low, high, steps: k_steps, stored, start: start.value, classes: groups.classes.map(({ set, normal, anomalous }) => ({ set, normal, anomalous })), groups: groups.groups })}</script>
</section>`;
}

/** A slider needs two ends, also where all scores are equal. */
function axisOf({ low, high }: ScoreGroups): { low: number; high: number } {
  const edge = (high - low) * 0.01 || 0.05;
  return { low: low - edge, high: high + edge };
}

function confusion({ truePositives, falseNegatives, falsePositives, trueNegatives }: GroupCounts): Html {
  return html`<table class="confusion"><caption>Pictures</caption>
<thead><tr><td></td><th scope="col">called anomalous</th><th scope="col">called normal</th></tr></thead>
<tbody><tr><th scope="row">anomalous</th><td class="right" data-out="truePositives">${truePositives}</td><td class="wrong" data-out="falseNegatives">${falseNegatives}</td></tr>
<tr><th scope="row">normal</th><td class="wrong" data-out="falsePositives">${falsePositives}</td><td class="right" data-out="trueNegatives">${trueNegatives}</td></tr></tbody></table>`;
}

function rates(counts: GroupCounts): Html {
  const { precision, recall, falseAlarmRate, f1 } = ratesOf(counts);
  return html`<dl class="rates"><div><dt>Precision</dt><dd data-out="precision">${percent(precision)}</dd><dd class="what">of those called anomalous, are</dd></div><div><dt>Recall</dt><dd data-out="recall">${percent(recall)}</dd><dd class="what">of the anomalous, found</dd></div><div><dt>False-alarm rate</dt><dd data-out="falseAlarmRate">${percent(falseAlarmRate)}</dd><dd class="what">of the normal, called anomalous</dd></div><div><dt>F1</dt><dd data-out="f1">${percent(f1)}</dd><dd class="what">of precision and recall</dd></div></dl>`;
}

function classRow(one: ClassScores, run: TestRun, threshold: number): Html {
  const counts = countsAt([one], threshold);
  const { precision, recall, falseAlarmRate } = ratesOf(counts);
  return html`<tr><td>${run.dataSets[one.set]!.name}</td><th scope="row">${one.className}</th><td>${counts.truePositives}</td><td>${counts.falseNegatives}</td><td>${counts.falsePositives}</td><td>${counts.trueNegatives}</td><td>${percent(precision)}</td><td>${percent(recall)}</td><td>${percent(falseAlarmRate)}</td></tr>`;
}

function ratesOf({ truePositives, falseNegatives, falsePositives, trueNegatives }: GroupCounts) {
  const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    falseAlarmRate: ratio(falsePositives, falsePositives + trueNegatives),
    f1:
      truePositives + falseNegatives === 0
        ? null
        : (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
  };
}
