/** `crane-native bench`: how fast this machine scores, beside what it could, and beside peers. */

import type { CommandModule } from 'yargs';
import type { BenchReport, Failure } from '../bench/report.js';
import type { BenchProgress } from '../bench/run-bench.js';
import type { SyntheticSurroundings } from '../bench/synthetic.js';
import { CraneError } from '../errors.js';
import type { Model } from '../models/model-json.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { shellOption } from '../terminal/shell-word.js';
import { visibleJsonText } from '../terminal/visible.js';
import { type Context, paintOf, say, sayLines } from './context.js';
import { flagsFor, optionsFor, optionsIn, readFlags, readList } from './flags.js';
import { sayMemoryNeed } from './memory-need.js';
import { type Progress, startProgress } from './progress.js';

/** Flags with one value; `vs`, `batch` and `threads` may have several. */
const single = [
  'model',
  'method',
  'className',
  'prompts',
  'synthetic',
  'size',
  'device',
  'precision',
  'rounds',
  'warmup',
  'seconds',
  'python',
  'out',
  'force',
  'json',
  'verbose',
] as const;
type Absent = 'out' | 'seconds' | 'python' | 'size' | 'method' | 'className' | 'prompts';
type Values = Pick<AllOptions, Exclude<(typeof single)[number], Absent>> & Partial<Pick<AllOptions, Absent>>;
const names: OptionName[] = ['vs', 'batch', 'threads', ...single];

export function benchCommand(context: Context): CommandModule {
  return {
    command: 'bench',
    describe: "measure speed and memory, beside the machine's own limit and beside peers",
    builder: (yargs) => {
      const flags = flagsFor([...new Set([...optionsIn('Benchmark'), ...names])]);
      const bench = (name: string, describe: string) => ({ ...flags[name], group: 'Benchmark:', describe });
      return yargs
        .options({
          ...flags,
          model: bench(
            'model',
            'the model that is measured; with --synthetic crane, crane+, crane+dino, crane+sam or winclip, by default whatever the method was published on',
          ),
          batch: bench('batch', 'sizes of batch, for instance 1,4; auto: 1 on a CPU, 8 on a GPU'),
          threads: bench('threads', 'numbers of threads, for instance 1,2,4; 0: one per physical core'),
          out: bench('out', 'file for the results as JSON, with every sample'),
          json: { ...flags['json'], describe: 'results as JSON on stdout, errors as JSON on stderr' },
        })
        .example('$0 bench', 'the embedded model, in seconds')
        .example('$0 bench --synthetic --batch 1,4', 'Crane at full size, no weights needed')

        .example('$0 bench --synthetic --method winclip --vs batched --vs authors', 'a compared system')
        .example('$0 bench --synthetic --vs plain --vs openvino --vs authors', 'beside others')
        .example('$0 bench --synthetic --model crane+ --vs crane', 'one model beside another')
        .example('$0 bench --model toy-backbone --method winclip --class-name nut', 'another method');
    },
    handler: (argv) => bench(context, argv),
  };
}

async function bench(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, single) as Values;
  const threads = readList(argv, 'threads', ',') ?? [0];
  const batches = readList(argv, 'batch', ',') ?? ['auto'];
  const vs = [...new Set(readList(argv, 'vs') ?? [])];
  await checkOut(values);
  const findModel = modelFinder(context, values.synthetic);
  const model = await findModel(await modelName(argv, values));
  const options = optionsFor('loadEngine', { ...values, ...(await synthetics(context, values, model)) });
  const { choosePeer } = await import('../bench/peers.js');
  const surroundings = { env: context.env, python: values.python, options };
  const peers = [];
  for (const name of vs) peers.push(await choosePeer(name, surroundings, findModel));
  sayMemoryNeed(context, model, values.verbose);
  const { addon } = await context.loadAddon();
  const { runBench } = await import('../bench/run-bench.js');
  const progress = startProgress(context);
  try {
    const report = await runBench({
      addon,
      model,
      isSynthetic: values.synthetic,
      options,
      threads,
      batches,
      rounds: values.rounds,
      warmup: values.warmup,
      seconds: values.seconds,
      peers,
      command: commandLine(argv),
      stop: context.stop,
      onProgress: shower(context, progress, values.verbose),
    });
    progress.stop();
    await show(context, report, values);
  } finally {
    progress.stop();
  }
}

async function modelName(argv: Record<string, unknown>, values: Values): Promise<string> {
  if (!values.synthetic || argv['model'] !== undefined) return values.model;
  const { syntheticFor } = await import('../bench/synthetic.js');
  return syntheticFor(values.method);
}

/** What --synthetic gives of itself: what the method learned, and a class, as speed depends on neither. */
async function synthetics(
  context: Context,
  values: Values,
  model: Model,
): Promise<Pick<Values, 'prompts' | 'className'>> {
  if (!values.synthetic) return {};
  const { methodName } = await import('../methods/descriptor.js');
  const { findMethod } = await import('../methods/registry.js');
  const { syntheticLearned } = await import('../bench/synthetic.js');
  const method = values.method ?? methodName(model.method);
  const className = values.className ?? (findMethod(method).namesClass ? 'object' : undefined);
  const prompts = values.prompts ?? (await syntheticLearned(method, syntheticParts(context)));
  return { ...(className === undefined ? {} : { className }), ...(prompts === undefined ? {} : { prompts }) };
}

function syntheticParts(context: Context): SyntheticSurroundings {
  return {
    env: context.env,
    loadAddon: async () => (await context.loadAddon()).addon,
    stop: context.stop,
    log: (line) => say(context, line),
  };
}

/** A name stands for the synthetic model of that kind, or for what --model usually means. */
function modelFinder(context: Context, isSynthetic: boolean): (name: string) => Promise<Model> {
  return async (name) => {
    if (!isSynthetic) {
      const { findModel } = await import('../models/find-model.js');
      return findModel(name, context.env);
    }
    const { syntheticModel } = await import('../bench/synthetic.js');
    return syntheticModel(name, syntheticParts(context));
  };
}

/** Told before anything is measured. */
async function checkOut({ out, force }: Values): Promise<void> {
  if (out === undefined || force) return;
  const { exists, isThere } = await import('../files/write-whole.js');
  if (await isThere(out)) throw exists(out);
}

/** What was given, so that the results say how to get them again. */
function commandLine(argv: Record<string, unknown>): string {
  const parts = names.flatMap((name) => {
    const flag = flagName(name);
    const given = argv[flag];
    if (given === undefined || given === false) return [];
    if (given === true) return [`--${flag}`];
    return [given].flat().map((value) => shellOption(flag, String(value)));
  });
  return ['crane-native bench', ...parts].join(' ');
}

function shower(context: Context, progress: Progress, verbose: boolean): (event: BenchProgress) => void {
  let stage = '';
  return (event) => {
    if (event.stage === 'failure') {
      progress.clear();
      const { message, code, hint } = event.error;
      sayLines(context, `${message} [${code}]${hint ? `\n  ${hint}` : ''}`);
    } else if (event.stage === 'open') {
      progress.stage(`opening ${event.name}`, 1);
      if (verbose) say(context, `opening ${event.name}`);
    } else {
      const name = `batch ${event.batch}, threads ${event.threads}`;
      if (name !== stage) progress.stage(name, event.steps);
      stage = name;
      progress.at(event.step - 1, event.name);
      if (verbose) say(context, `${name}: ${event.step}/${event.steps} ${event.name}`);
    }
  };
}

async function show(context: Context, report: BenchReport, { out, json, force }: Values): Promise<void> {
  const text = `${JSON.stringify(report, null, 2)}\n`;
  if (out !== undefined) {
    const { writeWhole } = await import('../files/write-whole.js');
    await writeWhole(out, text, { overwrite: force });
  }
  if (json) context.stdout.write(visibleJsonText(text));
  else {
    const { benchText } = await import('../bench/table.js');
    context.stdout.write(benchText(report, paintOf(context)));
  }
  if (out !== undefined) say(context, `results: ${out}`);
  if (report.interrupted) throw new CraneError('E_CANCELLED', 'interrupted; what was measured is shown');
  if (report.failures.length > 0) throw peersFailed(report.failures);
}

function peersFailed(failures: readonly Failure[]): CraneError {
  const [first] = failures;
  const failed = [...new Set(failures.map(({ name }) => name))].join(', ');
  return new CraneError('E_BENCH_PEER', `could not be measured: ${failed}; first: ${first!.message}`, {
    hint: first!.hint,
  });
}
