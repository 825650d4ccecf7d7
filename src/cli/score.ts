/** `crane-native score`: scores pictures. */

import type { CommandModule } from 'yargs';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import type { Model } from '../models/model-json.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import type { ScoreRunOptions, ScoreRunOutcome } from '../scoring/run-types.js';
import type { ResultWriter } from '../sinks/result-writer.js';
import { type Context, hasColour, say, warningsTo } from './context.js';
import { engineOptions, flagsFor, learningOptions, optionsFor, optionsIn, readFlags } from './flags.js';
import { sayMemoryNeed } from './memory-need.js';
import type { ScoredByEachOther } from './mutual.js';
import { startProgress } from './progress.js';
import { sayScan, sayWarnings } from './say-scan.js';

const names: OptionName[] = [
  ...optionsIn('Inputs'),
  'manifest',
  'followLinks',
  ...optionsIn('Output', 'Picture', 'Normals', 'Engine', 'Method', 'Compatibility'),
  'parallel',
  'falseAlarmRate',
  'allowEqualScores',
];

export function scoreCommand(context: Context): CommandModule {
  return {
    command: 'score [inputs..]',
    describe: 'score pictures: files, folders, globs, @list, - (paths or one picture on stdin)',
    builder: (yargs) =>
      yargs
        .positional('inputs', { type: 'string', array: true, describe: 'files, folders, globs, @list, -' })
        .options({
          ...flagsFor(names),
          'false-alarm-rate': {
            ...flagsFor(['falseAlarmRate'])['false-alarm-rate'],
            group: 'Normals:',
            describe:
              'with normal pictures: thresholds that another one reaches with at most this probability',
            defaultDescription: 'no thresholds',
          },
          'allow-equal-scores': { ...flagsFor(['allowEqualScores'])['allow-equal-scores'], group: 'Output:' },
          manifest: { ...flagsFor(['manifest'])['manifest'], group: 'Inputs:' },
          'follow-links': { ...flagsFor(['followLinks'])['follow-links'], group: 'Inputs:' },
        })
        .example('$0 score part.png', 'one picture')
        .example(
          '$0 score pictures --recursive --out results --heatmaps --regions',
          'a folder, with heat maps',
        )
        .example(
          '$0 score pictures --normals-from good --false-alarm-rate 0.05',
          'compared with a few good pictures: anomalous or not, and where',
        )
        .example(
          '$0 score pictures --out results --map-threshold 0.3 --format coco',
          'regions for annotation tools',
        )
        .example('$0 score pictures --mutual', 'each compared with the others, of which most are good')
        .example('find . -name "*.jpg" | $0 score - --format csv', 'a list on standard input'),
    handler: (argv) => score(context, inputsOf(argv), argv),
  };
}

/** Arguments after `--` are inputs even when they begin with a dash. */
function inputsOf(argv: Record<string, unknown>): string[] {
  const inputs = [argv['inputs'], argv['--']].flatMap((list) => (list as string[] | undefined) ?? []);
  const hasManifest = argv['manifest'] !== undefined;
  if (hasManifest && inputs.length > 0)
    throw new CraneError('E_USAGE', 'score takes inputs or a --manifest, not both');
  if (hasManifest || inputs.length > 0) return inputs;
  throw new CraneError('E_USAGE', 'score needs an input', {
    hint: 'a file, a folder, a glob, @list, - or --manifest FILE',
  });
}

/**
 * `--shard index/10` is the shard of a pod of an indexed job, which counts from 0.
 * @throws CraneError E_USAGE where JOB_COMPLETION_INDEX is none of it
 */
function withShardOfIndex(argv: Record<string, unknown>, env: NodeJS.ProcessEnv): Record<string, unknown> {
  const count = /^index\/(\d+)$/.exec(String(argv['shard'] ?? ''))?.[1];
  if (count === undefined) return argv;
  const index = env['JOB_COMPLETION_INDEX'];
  if (index !== undefined && /^\d+$/.test(index) && Number(index) < Number(count))
    return { ...argv, shard: `${Number(index) + 1}/${count}` };
  throw new CraneError(
    'E_USAGE',
    `--shard index/${count} needs JOB_COMPLETION_INDEX from 0 to ${Number(count) - 1}, found ${index ?? 'none'}`,
    { hint: 'set by indexed jobs of Kubernetes; elsewhere give the shard itself: --shard 1/3' },
  );
}

async function score(context: Context, inputs: string[], argv: Record<string, unknown>): Promise<void> {
  const { falseAlarmRate, ...others } = readFlags(withShardOfIndex(argv, context.env), names) as AllOptions;
  // Its default is that of calibrate: here nothing is asked of the good pictures unless it is given.
  const rate = argv['false-alarm-rate'] === undefined ? {} : { falseAlarmRate };
  const values = { ...others, ...rate } as AllOptions;
  const { checkScoreRun, runScore } = await import('../scoring/score-run.js');
  const { format } = values;
  const outlines = format === 'coco' || format === 'labelme' ? format : undefined;
  checkScoreRun({ ...values, outlines }, inputs);
  refuseIdle(values, (name) => argv[flagName(name)] !== undefined);
  if (values.out === undefined) context.outputFault?.endWithReader();
  const { bankFrom, expectGood } = await import('./normals-from.js');
  const { mutualOfInputs, checkMutual } = await import('./mutual.js');
  if (values.mutual) checkMutual(values, (name) => argv[flagName(name)] !== undefined);
  const { learning, isFrom } = normalsIn(argv, values);
  await expectGood(values);
  let clear = () => {};
  const table = await tableOf(values);
  const writer = await chooseWriter(context, table ? 'none' : format, () => clear());
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const model = await findModel(values.model, context.env);
  sayMemoryNeed(context, model, values.verbose);
  const { addon } = await context.loadAddon();
  const engine = await openEngine(addon, model, {
    ...engineOptions(values),
    ...(values.mutual ? { method: 'normals' } : {}),
    ...warningsTo(context),
  });
  if (values.verbose) await sayEngine(context, engine, model, values.prompts);

  const progress = startProgress(context);
  clear = progress.clear;
  let byEachOther: ScoredByEachOther | undefined;
  let isWhole = false;
  try {
    if (values.mutual) byEachOther = await mutualOfInputs(context, engine, inputs, values, progress);
    const mutual = byEachOther?.pictures;
    const normals = isFrom ? await bankFrom(context, engine, values, learning, progress) : mutual?.all;
    const outcome = await runScore({
      engine,
      inputs,
      options: {
        ...values,
        ...(normals ? { normals } : {}),
        table,
        outlines,
        regions: values.regions || values.falseAlarmRate !== undefined,
      },
      ...(mutual ? { normalsOf: mutual.of } : {}),
      writer,
      stdin: byEachOther?.stdin ?? context.stdin,
      stop: context.stop,
      onResult: progress.step,
      onPart: progress.part,
      ...(context.isTerminal.stderr ? { onTotal: progress.total } : {}),
    });
    progress.stop();
    if (outcome.scan) sayScan(context, outcome.scan, values.json);
    if (values.regions && !outcome.hasMapThreshold) {
      say(context, 'no regions: these settings have no map threshold; give one with --map-threshold');
    }
    const { background } = outcome;
    if (background && !values.json)
      say(
        context,
        `background: ${background.patches} patches of ${outcome.scored - background.whole} of ${outcome.scored} pictures were left out`,
      );
    const { idleNotes } = await import('../engine/idle-settings.js');
    const idle = idleNotes(optionsFor('loadEngine', values), engine.settings());
    sayWarnings(context, [...idle, ...outcome.warnings], values.json);
    const record = values.shard ? await recordShard(context, engine, values, outcome) : [];
    const tables = await outcome.publish(record);
    if (outlines === 'coco') for (const path of tables) say(context, `regions: ${path}`);
    isWhole = !outcome.isStopped && outcome.listed !== null;
    if (outcome.skipped > 0) say(context, `${outcome.skipped} inputs had results already`);
    if (outcome.isStopped) throw stopped(outcome.scored + outcome.failed, values.out);
    const failed = someFailed(outcome);
    const { equal } = outcome;
    const isMeant = equal?.areOneFile || values.allowEqualScores;
    if (equal && isMeant) sayWarnings(context, [equal.message], values.json);
    else if (equal) {
      const { equalScoresError } = await import('../engine/score-watch.js');
      if (failed) say(context, `${failed.message}: ${failed.hint}`);
      throw equalScoresError('score', equal);
    }
    const { earlier } = outcome;
    const anomalous = (outcome.anomalous ?? 0) + earlier.anomalous;
    if (values.failOnAnomaly && anomalous > 0) {
      if (failed) say(context, `${failed.message}: ${failed.hint}`);
      throw someAnomalous(anomalous, outcome.scored + earlier.scored);
    }
    if (failed) throw failed;
  } finally {
    progress.stop();
    await byEachOther?.close(isWhole);
    await engine.dispose();
  }
}

/** Flags that would change nothing without a word. @throws CraneError E_USAGE */
function refuseIdle({ maps, heatmaps, format }: AllOptions, isGiven: (name: OptionName) => boolean): void {
  const ofHeatmaps = (['heatmapFormat', 'heatmapRange'] as const).find(isGiven);
  if (ofHeatmaps !== undefined && !heatmaps)
    throw new CraneError(
      'E_USAGE',
      `--${flagName(ofHeatmaps)} says how heat maps look, and none are written`,
      {
        hint: 'add --heatmaps, or leave it out',
      },
    );
  const usesMaps = maps !== undefined || format === 'coco' || format === 'labelme';
  if (isGiven('mapSize') && !usesMaps)
    throw new CraneError('E_USAGE', '--map-size says how large maps are, and none are written', {
      hint: 'add --maps, or leave it out',
    });
}

/** How a bank is to be learned, and whether one is. @throws CraneError E_USAGE for flags that would say nothing */
function normalsIn(argv: Record<string, unknown>, values: AllOptions) {
  const learning = learningOptions(values);
  const isFrom = values.normalsFrom !== undefined;
  if (isFrom && values.normals !== undefined)
    throw new CraneError('E_USAGE', 'expected --normals or --normals-from, not both');
  const [unused] = Object.keys(learning);
  if (!isFrom && !values.mutual && unused !== undefined) {
    throw new CraneError('E_USAGE', `--${flagName(unused)} says how a bank is learned, and none is`, {
      hint: 'add --normals-from FOLDER; a bank of --normals keeps how it was learned',
    });
  }
  if (argv['false-alarm-rate'] !== undefined && !isFrom && values.normals === undefined) {
    throw new CraneError('E_USAGE', '--false-alarm-rate needs normal pictures to take thresholds from', {
      hint: 'add --normals-from FOLDER or --normals FILE, or choose a threshold with calibrate --normal-only',
    });
  }
  return { learning, isFrom };
}

/** What `merge` believes: written last, so only for a shard that is whole. */
async function recordShard(
  context: Context,
  engine: Engine,
  values: AllOptions,
  { results, listed, label, thresholds, own }: ScoreRunOutcome,
): Promise<string[]> {
  if (results === null) return [];
  if (listed === null) {
    say(context, 'a part of the shard (--limit): merge will not take it until it is whole');
    return [];
  }
  const { shard, regions, falseAlarmRate, format, maps, heatmaps, heatmapFormat } = values;
  const { fileFlagsOf } = await import('../scoring/file-flags.js');
  const { writeShardRecord } = await import('../work/shard-record.js');
  const { thisMachine } = await import('../runs/machine.js');
  const { packageVersion } = await import('../files/package-root.js');
  const path = await writeShardRecord({
    results,
    shard,
    inputs: listed,
    model: label,
    ...(Object.keys(own).length > 0 ? { own } : {}),
    rows: {
      ...thresholds,
      regions: regions || falseAlarmRate !== undefined || format === 'coco' || format === 'labelme',
      maps: maps ?? null,
      heatmaps: heatmaps ? heatmapFormat : null,
      ...fileFlagsOf(values),
    },
    machine: await thisMachine(engine.addon, engine.facts),
    craneNative: packageVersion(),
  });
  return [path];
}

/** Where results go into a store, a table goes beside them; into a folder it goes through stdout. What annotation tools read is a file. */
async function tableOf({ out, format }: AllOptions): Promise<ScoreRunOptions['table']> {
  if (format === 'coco') return format;
  const { isRemote } = await import('../stores/open-store.js');
  if (out === undefined || !isRemote(out)) return undefined;
  return format === 'csv' || format === 'parquet' ? format : undefined;
}

async function chooseWriter(
  context: Context,
  format: AllOptions['format'] | 'none',
  beforeWrite: () => void,
): Promise<ResultWriter> {
  if (format === 'none' || format === 'labelme') return { write: async () => {}, end: async () => {} };
  const { writers } = await import('../sinks/writers.js');
  const { stdout, isTerminal } = context;
  const chosen = format === 'auto' ? (isTerminal.stdout ? 'table' : 'jsonl') : format;
  const look = { columns: isTerminal.columns, colour: hasColour(context) };
  const writer = await writers[chosen](stdout, look);
  const sharesTerminal = isTerminal.stdout && isTerminal.stderr;
  if (!sharesTerminal) return writer;
  return {
    ...writer,
    write: (line: Parameters<typeof writer.write>[0]) => {
      beforeWrite();
      return writer.write(line);
    },
  };
}

async function sayEngine(
  context: Context,
  engine: Engine,
  model: Model,
  prompts: string | undefined,
): Promise<void> {
  const { model: label, device, threads, input, prompts: sets } = engine.facts;
  say(context, `${label} on ${device}, ${threads} threads, input ${input.width}x${input.height}`);
  const { threshold, thresholdFrom, method } = engine.settings();
  const calibration = engine.calibrationOf();
  if (calibration && thresholdFrom !== 'call') {
    const { oneLine } = await import('../calibrate/explain.js');
    say(context, `threshold ${threshold}: ${oneLine(calibration)}`);
  }
  const { promptFacts } = await import('../runs/prompt-facts.js');
  const ofAll = prompts === undefined ? Object.keys(sets) : [prompts];
  const facts = await Promise.all(ofAll.map((name) => promptFacts(engine.addon, model, method, name)));
  const unknown = facts.find((each) => each?.learnedOn === null);
  const learnedOn = [...new Set(facts.flatMap((each) => each?.learnedOn ?? []))];
  if (unknown) say(context, `${unknown.name}: does not say what its prompts were learned on`);
  if (learnedOn.length > 0) say(context, `prompts learned on ${learnedOn.join(', ')}`);
}

function stopped(done: number, out: string | undefined): CraneError {
  return new CraneError('E_CANCELLED', `interrupted after ${done} pictures; their results are saved`, {
    hint: out === undefined ? undefined : 'the same command with --resume goes on',
  });
}

function someAnomalous(count: number, all: number): CraneError {
  return new CraneError('E_ANOMALOUS', `${count} of ${all} pictures are anomalous`, {
    hint: 'exit code 10, as --fail-on-anomaly asks for',
  });
}

/** The faults themselves stand in the results; the exit code (3) is that of the inputs. */
/** A run that was gone on with ends as one that was never ended. */
function someFailed({ scored, failed, earlier }: ScoreRunOutcome): CraneError | undefined {
  const count = failed + earlier.failed;
  if (count === 0) return undefined;
  const all = count + scored + earlier.scored;
  return new CraneError('E_INPUTS_FAILED', `${count} of ${all} inputs failed`, {
    hint: 'their results hold the reason',
  });
}
