/**
 * The report of a test as ONE page: no request, light and dark, by keyboard, in print. Its script only moves the threshold
 * and hides lines; every table and chart is there without it. The Content-Security-Policy names the page's own style and
 * scripts by their hash, so that nothing else can run or load.
 */
import { createHash } from 'node:crypto';
import type { TestedDataSet, TestRun } from '../../runs/test-run.js';
import { Html, html } from '../html.js';
import { curveSection } from './curve-section.js';
import { figuresTable } from './figures.js';
import type { Illustration } from './illustrate.js';
import { madeWith } from './made-with.js';
import { overview } from './overview.js';
import { pictureSection } from './picture-section.js';
import { scoreGroups } from './score-groups.js';
import { styleSheet } from './style.js';
import { count } from './text.js';
import { startThreshold, thresholdSection } from './threshold-section.js';

export interface ReportPage {
  run: TestRun;
  /** what the run itself does not hold, for instance when it was made */
  made: readonly (readonly [term: string, value: string])[];
  illustrations: readonly Illustration[];
  /** colours of the maps, PNG */
  legend: Uint8Array;
  range: { low: number; high: number };
  /** what is not shown and why, one sentence each */
  pictureNotes: readonly string[];
  /** the page's own scripts, compiled (client-scripts.ts) */
  scripts: readonly string[];
}

/** @returns the page in pieces, so that no long text is built at once */
export function* reportPage(page: ReportPage): Generator<string> {
  const { run, made, illustrations, legend, range, pictureNotes, scripts } = page;
  const title = titleOf(run);
  const groups = scoreGroups(run);
  const start = groups && startThreshold(run, groups);
  yield html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy(scripts)}">
<title>${title}</title>
<style>${new Html(styleSheet)}</style>
</head>
<body>
<a class="skip" href="#main">To the figures</a>
<header class="top"><nav aria-label="Sections"><a href="#main">Overview</a><a href="#figures">Figures</a>${start && html`<a href="#threshold">Threshold</a>`}<a href="#curves">Curves</a><a href="#pictures">Pictures</a><a href="#made-with">Made with</a></nav><button type="button" id="theme" class="scripted">Theme: auto</button></header>
<main id="main">
<h1>${title}</h1>
${overview(run)}
<section id="figures" aria-labelledby="figures-title"><h2 id="figures-title">Figures</h2>
${run.dataSets.map((set, index) => figuresOf(set, index))}
</section>
${groups && start && thresholdSection(run, groups, start)}
<section id="curves" aria-labelledby="curves-title"><h2 id="curves-title">Curves</h2>
<p>Lines differ by colour and dashes. The mean averages the classes at equal places of the horizontal axis. On the curves of pictures a dot shows where the threshold is.</p>
${run.dataSets.map((set, index) => html`${run.dataSets.length > 1 && html`<h3>${set.name}</h3>`}${curveSection(set, index) ?? html`<p class="notes">No curve: every figure of ${set.name} is undefined.</p>`}`)}
</section>
`.text;
  const section = {
    sets: run.dataSets,
    illustrations,
    threshold: start?.value,
    legend,
    range,
    notes: pictureNotes,
  };
  for (const piece of pictureSection(section)) yield piece.text;
  yield html`${madeWith(run, made)}
</main>
${scripts.map((script) => html`<script>${new Html(script)}</script>`)}
</body>
</html>
`.text;
}

function titleOf({ settings, dataSets }: TestRun): string {
  return dataSets.length === 1
    ? `${settings.modelName} on ${dataSets[0]!.name}`
    : `${settings.modelName} on ${dataSets.length} data sets`;
}

function figuresOf(set: TestedDataSet, index: number): Html {
  const failed = set.classes.reduce((sum, one) => sum + one.failed, 0);
  return html`<h3 id="set-${index}">${set.name}${set.published !== null && set.published !== set.name && html` <small>the paper's ${set.published}</small>`}</h3>
${set.learnedOn !== null && html`<p class="alarm small">The prompts were learned on this set (${set.learnedOn.detail}): not a zero-shot result.</p>`}
${failed > 0 && html`<p class="warning">${count(failed, 'picture')} could not be scored and ${failed === 1 ? 'is' : 'are'} in none of the figures.</p>`}
${set.notes.map((note) => html`<p class="notes">${note}</p>`)}
${figuresTable(set)}`;
}

function policy(scripts: readonly string[]): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    'img-src data:',
    `style-src ${hash(styleSheet)}`,
    `script-src ${scripts.length === 0 ? "'none'" : scripts.map(hash).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
