/** `crane-native worker`: scores what `submit` queued. */
import type { CommandModule } from 'yargs';
import { loadOptional } from '../files/optional-packages.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { shownAddress } from '../terminal/shown-address.js';
import { type Context, say, warningsTo } from './context.js';
import { flagsFor, optionsFor, optionsIn, readFlags } from './flags.js';

const names = [
  'redis',
  'queue',
  'lockMs',
  'jobsPerMinute',
  'untilEmpty',
  'metricsPort',
  ...optionsIn('Engine'),
  'parallel',
  'json',
] satisfies OptionName[];

export function workerCommand(context: Context): CommandModule {
  return {
    command: 'worker',
    describe: 'score the pictures of a queue; Ctrl-C or SIGTERM puts back what is in work',
    builder: (yargs) =>
      yargs
        .options(flagsFor(names))
        .example('$0 worker --redis redis://queue:6379', 'as many of them as there are machines')
        .example('$0 worker --until-empty', 'ends when nothing is left: for jobs of a cluster'),
    handler: (argv) => work(context, argv),
  };
}

async function work(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as AllOptions;
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { thisMachine } = await import('../runs/machine.js');
  const { packageVersion } = await import('../files/package-root.js');
  const { WorkerFigures } = await import('../work/worker-figures.js');
  const { runWorker } = await loadOptional(
    'a worker',
    ['bullmq', 'ioredis'],
    () => import('../work/worker.js'),
  );
  const { checkQueueName, WorkQueue } = await import('../work/queue.js');
  checkQueueName(values.queue);
  const model = await findModel(values.model, context.env);
  const { addon } = await context.loadAddon();
  const engine = await openEngine(addon, model, {
    ...optionsFor('loadEngine', values),
    ...warningsTo(context),
  });
  // Beside the work: a scrape waits for no chunk.
  const queue =
    values.metricsPort === undefined ? undefined : await WorkQueue.open(values.redis, values.queue);
  let figures: import('../work/worker-figures.js').WorkerFigures | undefined;
  try {
    if (queue) {
      figures = await WorkerFigures.open(values.metricsPort, {
        model: { name: values.model, facts: engine.facts },
        jobs: async () => ({ ...(await queue.counts()) }),
      });
      say(context, `metrics at ${figures.address}`);
    }
    const { precision, kernels, threads, libtorch, device } = await thisMachine(addon, engine.facts);
    await runWorker({
      engine,
      model: values.model,
      pins: {
        precision,
        kernels,
        threads,
        libtorch,
        device: device.replace(/:\d+/g, ''),
        craneNative: packageVersion(),
      },
      redis: values.redis,
      queue: values.queue,
      lockMs: values.lockMs,
      jobsPerMinute: values.jobsPerMinute,
      untilEmpty: values.untilEmpty,
      stop: context.stop,
      events: {
        onConnected: () =>
          say(
            context,
            `${engine.facts.model} takes jobs of ${values.queue} at ${shownAddress(values.redis)}`,
          ),
        onPicture: (outcome) => figures?.picture(outcome),
        onChunk: ({ chunk, rows, ms, isNew }) => {
          figures?.chunk(isNew ? 'done' : 'known', ms);
          say(context, isNew ? `${chunk}: ${rows} pictures, ${ms} ms` : `${chunk}: done before`);
        },
        onRefused: (reason) => say(context, `the queue: ${reason}`),
        onConnection: (isThere) => {
          const what = isThere ? 'is back' : 'is lost, and work waits for it [E_QUEUE]';
          say(context, `the queue: the connection to ${shownAddress(values.redis)} ${what}`);
        },
        onFault: (chunk, reason, isDead) => {
          figures?.chunk(isDead ? 'dead' : 'again', 0);
          say(context, `${chunk}: ${reason}${isDead ? '; put aside' : '; again later'}`);
        },
      },
    });
  } finally {
    await figures?.close();
    await queue?.close();
    await engine.dispose();
  }
}
