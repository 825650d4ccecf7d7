/** `crane-native plan`: how many workers a piece of work needs until a deadline, and what they cost. */
import type { CommandModule } from 'yargs';
import type { FailedPicture } from '../engine/result.js';
import type { Source } from '../engine/scheduler-source.js';
import { CraneError } from '../errors.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import type { Plan, PlanAssumptions } from '../work/plan.js';
import { type Context, say, warningsTo } from './context.js';
import { flagsFor, optionsFor, optionsIn, readFlags } from './flags.js';
import { printJson } from './subcommands.js';

const names: OptionName[] = [
  ...optionsIn('Plan'),
  ...optionsIn('Assumptions'),
  'chunk',
  'lockMs',
  'backoffMs',
  'seed',
  ...optionsIn('Engine'),
  'json',
];

export function planCommand(context: Context): CommandModule {
  return {
    command: 'plan [inputs..]',
    describe: 'how many workers a number of pictures needs until a deadline: measured rate, simulated faults',
    builder: (yargs) =>
      yargs
        .positional('inputs', {
          type: 'string',
          array: true,
          describe: 'pictures to measure the rate with; without any those that come with crane-mini',
        })
        .options(
          flagsFor(names, {
            json: { describe: 'the plan and its assumptions as JSON on stdout' },
            seed: { describe: 'of the simulated runs' },
          }),
        )
        .example('$0 plan --pictures 100e6 --deadline 24h --price-per-hour 0.08', 'rate of this machine')
        .example('$0 plan --pictures 100e6 --deadline 24h --rate 5.1', 'rate of another one'),
    handler: (argv) => plan(context, argv),
  };
}

async function plan(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as AllOptions;
  for (const needed of ['pictures', 'deadline'] as const)
    if (values[needed] === undefined) throw new CraneError('E_USAGE', `plan needs --${needed}`);
  const deadline = seconds(values.deadline);
  const inputs = ((argv['inputs'] as string[] | undefined) ?? []).map(String);
  if (values.rate !== undefined) refuseUnmeasured(argv, inputs);
  const measured = values.rate === undefined ? await measure(context, values, inputs) : undefined;
  const rate = values.rate ?? measured!.rate;
  const assumptions: PlanAssumptions = {
    chunk: values.chunk,
    startSeconds: values.startSeconds,
    spread: values.spread,
    slowShare: values.slowShare,
    slowTimes: values.slowTimes,
    killsPerHour: values.killsPerHour,
    lockSeconds: values.lockMs / 1000,
    replaceSeconds: values.replaceSeconds,
    failShare: values.failShare,
    backoffSeconds: values.backoffMs / 1000,
  };
  const { planFor, k_draws } = await import('../work/plan.js');
  const found = planFor({ pictures: values.pictures, rate, assumptions, seed: values.seed }, deadline);
  if (found === null) {
    throw new CraneError('E_USAGE', 'no number of workers ends in time under these assumptions', {
      hint: 'a longer --deadline, or smaller chunks (--chunk)',
    });
  }
  const cost = values.pricePerHour === undefined ? undefined : found.workerHours * values.pricePerHour;
  if (values.json)
    return printJson(context, { ...found, cost, rate, measured, deadlineSeconds: deadline, assumptions });
  const from = measured ? `measured here with ${measured.pictures} pictures (${measured.model})` : 'as given';
  const rows = linesOf(values.pictures, rate, from, found, cost, assumptions, k_draws);
  for (const line of rows) context.stdout.write(`${line}\n`);
}

/** With a rate that is given no picture is scored. @throws CraneError E_USAGE */
function refuseUnmeasured(argv: Record<string, unknown>, inputs: readonly string[]): void {
  const flag = optionsIn('Engine')
    .map(flagName)
    .find((name) => argv[name] !== undefined);
  const idle = inputs.length > 0 ? 'pictures are' : flag === undefined ? undefined : `--${flag} is`;
  if (idle === undefined) return;
  throw new CraneError('E_USAGE', `${idle} for measuring the rate, which --rate gives`, {
    hint: 'leave one of them out',
  });
}

function linesOf(
  pictures: number,
  rate: number,
  from: string,
  found: Plan,
  cost: number | undefined,
  assumed: PlanAssumptions,
  draws: number,
): string[] {
  const share = (value: number) => `${Number((100 * value).toPrecision(3))} %`;
  return [
    `workers         ${found.workers}`,
    `until done      ${hours(found.medianSeconds)} (median of ${draws} simulated runs), ${hours(found.slowestSeconds)} (slowest)`,
    `without faults  ${hours(found.idealSeconds)}`,
    `worker hours    ${found.workerHours.toFixed(1)}${cost === undefined ? '' : `, cost ${cost.toFixed(2)}`}`,
    `on the way      ${found.kills.toFixed(0)} kills, ${found.retries.toFixed(0)} chunks tried twice`,
    '',
    `pictures        ${pictures}, in chunks of ${assumed.chunk}`,
    `rate            ${rate.toPrecision(3)} pictures a second and worker, ${from}`,
    'assumed',
    `  start         ${assumed.startSeconds} s from a worker's start to its first picture`,
    `  spread        ${share(assumed.spread)} of a chunk's time`,
    `  stragglers    ${share(assumed.slowShare)} of the workers, ${assumed.slowTimes} times slower`,
    `  kills         ${assumed.killsPerHour} a worker and hour; noticed after ${assumed.lockSeconds} s, replaced after ${assumed.replaceSeconds} s`,
    `  retries       ${share(assumed.failShare)} of the chunks, after ${assumed.backoffSeconds} s; their rows are kept`,
    '  store         never the limit, nor the queue',
  ];
}

/** Time enough for the first passes to be no matter. */
const k_measureSeconds = 10;

async function measure(context: Context, values: AllOptions, inputs: string[]) {
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { isFailed } = await import('../engine/result.js');
  const { listInputs } = await import('../sources/list-inputs.js');
  const { ScanAccount } = await import('../scan/scan-account.js');
  const { packageRoot } = await import('../files/package-root.js');
  const { join } = await import('node:path');
  const given = inputs.length > 0 ? inputs : [join(packageRoot, 'models', 'crane-mini', 'samples')];
  const listed = new Map<
    string,
    { input: import('../images/picture-input.js').PictureInput; name: string }
  >();
  const account = new ScanAccount();
  const options = { recursive: true, includeMasks: false, followLinks: false, exclude: [], account };
  for await (const { input, name } of listInputs(given, { ...options, stdin: context.stdin }))
    listed.set(name, { input, name });
  if (listed.size === 0)
    throw new CraneError('E_INPUT_NOT_FOUND', `${given.join(', ')}: no picture to measure the rate with`);
  const model = await findModel(values.model, context.env);
  const { addon } = await context.loadAddon();
  const engine = await openEngine(addon, model, {
    ...optionsFor('loadEngine', values),
    ...warningsTo(context),
  });
  say(context, `measuring for ${k_measureSeconds} s; the figure is good when nothing else runs here`);
  try {
    // What fails takes no time: it is told, and not tried again.
    const failed = new Map<string, FailedPicture>();
    let pictures = 0;
    const score = async (some: Source) => {
      for await (const outcome of engine.scoreMany(some)) {
        if (context.stop.aborted) throw new CraneError('E_CANCELLED', 'interrupted');
        if (!isFailed(outcome)) pictures++;
        else if (listed.delete(outcome.input)) failed.set(outcome.input, outcome);
      }
    };
    await score([...listed.values()].slice(0, 4));
    pictures = 0;
    const began = performance.now();
    const passed = () => (performance.now() - began) / 1000;
    const around = async function* () {
      while (listed.size > 0)
        for (const each of listed.values())
          if (passed() < k_measureSeconds && !context.stop.aborted) yield each;
          else return;
    };
    await score(around());
    if (context.stop.aborted) throw new CraneError('E_CANCELLED', 'interrupted');
    const [reason] = failed.values();
    if (reason) {
      const why = `${failed.size} of ${failed.size + listed.size} pictures failed, for instance: ${reason.error.message}`;
      if (pictures === 0) throw new CraneError('E_INPUTS_FAILED', why, { hint: reason.error.hint });
      say(context, `${why}; the rate is that of the others`);
    }
    return { rate: pictures / passed(), pictures, model: engine.facts.model, threads: engine.facts.threads };
  } finally {
    await engine.dispose();
  }
}

const k_units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function seconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const value = Number(number) * (k_units[unit ?? ''] ?? 0);
  if (value > 0) return value;
  throw new CraneError(
    'E_USAGE',
    `Expected a number with s, m, h or d for --deadline but received "${text}"`,
  );
}

function hours(value: number): string {
  return value < 3600 ? `${(value / 60).toFixed(1)} min` : `${(value / 3600).toFixed(2)} h`;
}
