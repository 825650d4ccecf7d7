/**
 * Every set in its turn: prompts are learned on all the others and tested on it, with an interrupt in the middle. Figures are
 * information; what is checked is that nothing is missing and that the test is one of unseen pictures.
 */
import { join } from 'node:path';
import { createTrainer, type Engine, evaluateDataSets, isScored, type TestRun } from '#crane/index.js';
import type { DataSet } from './sets.js';

export interface LeftOutResult {
  faults: string[];
  seconds: number;
  /** figures in percent; n/a where they are not defined */
  figures: string;
}

/** @param scratch folder for prompts, the feature cache and results */
export async function testLeftOut(
  engine: Engine,
  tested: DataSet,
  others: readonly DataSet[],
  scratch: string,
): Promise<LeftOutResult> {
  const from = performance.now();
  const learned = join(scratch, `learned-${tested.name}`);
  const trainer = await createTrainer({
    engine,
    data: others.map(({ root }) => root),
    out: learned,
    cache: join(scratch, 'features'),
    allowOneClass: true,
  });
  await trainer.run();
  const out = join(scratch, `tested-${tested.name}`);
  const { run, wasInterrupted } = await testInTwo(engine, tested, learned, out);
  const faults = faultsOf(run, others);
  if (!wasInterrupted) faults.push('the test could not be interrupted');
  const chosen = run.dataSets[0]!.classes.flatMap(({ pictures }) => pictures.filter(isScored)).at(0);
  if (chosen) {
    const prompts = join(learned, 'prompts.safetensors');
    const { score } = await engine.score(join(tested.root, chosen.path), { prompts });
    if (score !== chosen.score) faults.push(`${chosen.path}: tested ${chosen.score}, scored ${score}`);
  }
  return { faults, seconds: (performance.now() - from) / 1000, figures: figuresOf(run) };
}

async function testInTwo(engine: Engine, tested: DataSet, prompts: string, out: string) {
  const stop = new AbortController();
  const options = { engine, data: tested.root, prompts, out, bootstrap: 100 };
  const first = await evaluateDataSets({
    ...options,
    signal: stop.signal,
    onProgress: (event) => {
      if (event.stage === 'scoring') stop.abort();
    },
  }).then(
    () => 'complete',
    (thrown: { code?: string }) => thrown.code,
  );
  const run = await evaluateDataSets({ ...options, resume: true });
  // A set of a handful of pictures is in work as a whole before the first one is done.
  const isTiny = run.dataSets[0]!.classes.every(({ pictures }) => pictures.length <= 5);
  return { run, wasInterrupted: first === 'E_CANCELLED' || isTiny };
}

function faultsOf({ dataSets, warnings, settings }: TestRun, others: readonly DataSet[]): string[] {
  const faults = [...warnings];
  const learnedOn = settings.prompts?.learnedOn ?? [];
  if (learnedOn.length !== others.length)
    faults.push(`learned on ${learnedOn.join(', ')}, expected ${others.length} sets`);
  for (const { className, metrics, intervals } of dataSets.flatMap(({ classes }) => classes)) {
    const { image, pixel, remarks } = metrics;
    if (image.normal + image.anomalous !== remarks.pictures)
      faults.push(`${className}: pictures are missing in the image figures`);
    const hasBoth = image.normal > 0 && image.anomalous > 0;
    if (hasBoth && (image.auroc.value === null || !intervals)) faults.push(`${className}: no image AUROC`);
    const exact = pixel.aupro.at(-1)!.exact.value;
    if (pixel.regions > 0 && pixel.normal > 0 && (exact === null || exact < 0 || exact > 1))
      faults.push(`${className}: exact AUPRO is ${exact}`);
  }
  return faults;
}

function figuresOf({ dataSets }: TestRun): string {
  const { image, pixel } = dataSets[0]!.mean.leftOut;
  const shown = (name: string, { value }: { value: number | null }) =>
    `${name} ${value === null ? 'n/a' : (100 * value).toFixed(1)}`;
  return [
    shown('image AUROC', image.auroc),
    shown('pixel AUROC', pixel.auroc),
    shown('AP', pixel.ap),
    shown('AUPRO', pixel.aupro.at(-1)!.exact),
  ].join(', ');
}
