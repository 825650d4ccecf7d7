/** `crane-native demo`: scores the model's sample pictures and makes a page of them. */
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import type { AllOptions } from '../options/types.js';
import { type Context, hasColour, printPath, say, warningsTo } from './context.js';
import { flagsFor, optionsFor, readFlags } from './flags.js';
import { sayMemoryNeed } from './memory-need.js';
import { startProgress } from './progress.js';

const names = ['out', 'force', 'model', 'device', 'threads', 'prompts', 'verbose', 'json'] as const;
const k_folder = 'crane-demo';

export function demoCommand(context: Context): CommandModule {
  return {
    command: 'demo',
    describe: "score the model's sample pictures, write heat maps and one HTML page",
    builder: (yargs) =>
      yargs.options({
        ...flagsFor(names),
        out: { ...flagsFor(['out'])['out'], defaultDescription: k_folder },
      }),
    handler: (argv) => demo(context, argv),
  };
}

async function demo(context: Context, argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as Pick<AllOptions, (typeof names)[number]> & { out?: string };
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { runDemo } = await import('../pages/demo/demo-run.js');
  const { exists, isThere } = await import('../files/write-whole.js');
  const out = values.out ?? (values.force ? k_folder : await freeFolder(isThere));
  if (!values.force && (await isThere(out))) throw exists(out);

  const model = await findModel(values.model, context.env);
  sayMemoryNeed(context, model, values.verbose);
  const { addon } = await context.loadAddon();
  const engine = await openEngine(addon, model, {
    ...optionsFor('loadEngine', values),
    ...warningsTo(context),
  });
  const progress = startProgress(context);
  try {
    const onResult = (total: number) => {
      progress.total(total);
      progress.step();
    };
    const { page, pictures } = await runDemo({
      engine,
      model,
      out,
      overwrite: values.force,
      stop: context.stop,
      onResult,
    });
    progress.stop();
    const { table } = await import('../sinks/table.js');
    const { toResultLine } = await import('../sinks/result-line.js');
    const writer = table(context.stdout, { columns: context.isTerminal.columns, colour: hasColour(context) });
    for (const picture of pictures) await writer.write(toResultLine(picture, {}, false));
    say(context, 'open this page in a browser:');
    printPath(context, resolve(page));
  } finally {
    progress.stop();
    await engine.dispose();
  }
}

/** A second demo gets a folder of its own: nothing is ever overwritten unasked. */
async function freeFolder(isThere: (path: string) => Promise<boolean>): Promise<string> {
  for (let count = 1; ; count++) {
    const name = count === 1 ? k_folder : `${k_folder}-${count}`;
    if (!(await isThere(name))) return name;
  }
}
