/** From finished classes to the run that tables and reports are made from. Computes no metric of pixels. */
import { evaluationOf } from '../metrics/means.js';
import type { Machine } from '../runs/machine.js';
import { compareWithPaper } from '../runs/paper/compare.js';
import {
  isScored,
  type LearnedOn,
  type TestedClass,
  type TestedDataSet,
  type TestRun,
  type TestSettings,
} from '../runs/test-run.js';
import { versionsOf } from '../runs/versions.js';
import { warningsOf } from '../runs/warnings.js';
import { type Draws, drawFigures, intervalsOf, meanDraws } from './bootstrap.js';
import type { FinishedClass } from './finished-class.js';
import type { TestData } from './test-data.js';

export interface FinishedSet {
  data: TestData;
  learnedOn: LearnedOn | null;
  classes: FinishedClass[];
}

export function assembleRun(
  sets: readonly FinishedSet[],
  settings: TestSettings,
  { comparePaper, machine }: { comparePaper: boolean; machine: Machine },
): TestRun {
  const dataSets = sets.map((set) => assembleSet(set, settings, comparePaper));
  const model = sets.flatMap(({ classes }) => classes).find((of) => of.model !== null)?.model;
  return {
    format: 1,
    settings: { ...settings, model: model ?? settings.model },
    dataSets,
    warnings: warningsOf(dataSets, settings.prompts),
    versions: versionsOf(machine),
    machine: { ...machine },
  };
}

const k_notPublished = "the paper's tables have no row of it, so there is nothing to compare with";

function assembleSet(
  { data, learnedOn, classes }: FinishedSet,
  settings: TestSettings,
  comparePaper: boolean,
): TestedDataSet {
  const { set, name } = data;
  const { bootstrap } = settings;
  const withDraws = classes.map((of) => ({ of, draws: bootstrap && drawsOf(of, name, bootstrap) }));
  const drawn = withDraws.flatMap(({ draws }) => (draws ? [draws] : []));
  const paper = comparePaper ? compareWithPaper(set.published ?? null, settings) : null;
  return {
    name,
    published: set.published ?? null,
    root: set.root,
    layout: set.layout,
    scan: set.scan,
    learnedOn,
    classes: withDraws.map(({ of, draws }) =>
      assembleClass(of, draws && intervalsOf(draws, bootstrap!.level)),
    ),
    mean: evaluationOf(classes.map(({ metrics }) => metrics)).mean,
    intervals:
      bootstrap && drawn.length > 0
        ? intervalsOf(meanDraws(drawn, bootstrap.resamples), bootstrap.level)
        : null,
    paper,
    notes: [...set.warnings, ...(comparePaper && !paper ? [k_notPublished] : [])],
  };
}

function assembleClass(
  { className, metrics, pictures, examples }: FinishedClass,
  intervals: TestedClass['intervals'],
): TestedClass {
  const failed = pictures.filter((picture) => !isScored(picture)).length;
  return { className, metrics, failed, intervals, pictures, examples };
}

/** null: the class has one label only. */
function drawsOf(
  { className, pictures }: FinishedClass,
  setName: string,
  bootstrap: NonNullable<TestSettings['bootstrap']>,
): Draws | null {
  const scored = pictures.filter(isScored);
  const anomalous = scored.filter(({ isAnomalous }) => isAnomalous).length;
  if (anomalous === 0 || anomalous === scored.length) return null;
  return drawFigures(scored, bootstrap, `${setName}/${className}`);
}
