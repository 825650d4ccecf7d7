/** `crane-native weights list|inspect|verify|convert|synth|pull`. */

import type { Argv, CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { type AddressTable, publicTable } from '../models/weights/addresses.js';
import type { AllOptions } from '../options/types.js';
import { visible } from '../terminal/visible.js';
import { type Context, paintOf, printPath, say } from './context.js';
import { flagsFor, readFlags, readList } from './flags.js';
import { familyCommand, lastText, printJson } from './subcommands.js';
import { synthCommand } from './weights-synth.js';

type Arguments = Record<string, unknown>;

/** The table of addresses is handed in by tests only. */
export function weightsCommand(context: Context, table: AddressTable = publicTable): CommandModule {
  return familyCommand({
    name: 'weights',
    describe: 'list, inspect, verify, convert, make and fetch weights',
    usage: 'Looks after the weights of models.',
    what: 'weights',
    members: [
      listCommand(context, table),
      inspectCommand(context, table),
      verifyCommand(context, table),
      convertCommand(context),
      synthCommand(context),
      pullCommand(context, table),
    ],
  });
}

function listCommand(context: Context, table: AddressTable): CommandModule {
  return {
    command: 'list',
    describe: 'models and published weight files, and which of them are on this machine',
    builder: (yargs) => commonFlags(yargs, 'one JSON line for each on stdout'),
    handler: async (argv) => {
      const { listWeights } = await import('../models/weights/list.js');
      const listed = await listWeights(table, context.env);
      if (argv['json']) {
        for (const row of listed) printJson(context, row);
        return;
      }
      const { listTable } = await import('../models/weights/tables.js');
      context.stdout.write(listTable(listed, (text) => paintOf(context).dim(text)));
      say(context, 'fetch one: npx crane-native weights pull NAME');
    },
  };
}

function inspectCommand(context: Context, table: AddressTable): CommandModule {
  return {
    command: 'inspect [files..]',
    describe: 'what is in weight files: container, naming, sizes of the towers, tensors',
    builder: (yargs) =>
      commonFlags(yargs, 'one JSON line for each file, with all its tensors, on stdout')
        .positional('files', filesPositional)
        .options(flagsFor(['each']))
        .example('$0 weights inspect ViT-L-14-336px.pt', 'a file')
        .example('$0 weights inspect crane-mini', 'all files of a model'),
    handler: async (argv) => {
      const given = filesOf(argv, 'inspect');
      const { each } = readFlags(argv, ['each']) as Pick<AllOptions, 'each'>;
      const { findTarget } = await import('../models/weights/targets.js');
      const { sizesOf } = await import('../models/weights/sizes.js');
      const { inspectText, recipeText } = await import('../models/weights/tables.js');
      const targets = await Promise.all(given.map((target) => findTarget(target, table, context.env)));
      const { addon } = await context.loadAddon();
      for (const { path } of targets.flatMap(({ files }) => files)) {
        const info = await addon.inspectWeights(path);
        const sizes = sizesOf(info);
        if (argv['json']) printJson(context, { file: path, ...info, sizes });
        else context.stdout.write(`${inspectText(path, info, sizes, each)}\n`);
      }
      if (argv['json']) return;
      for (const recipe of targets.flatMap(({ model }) => model?.recipes ?? []))
        context.stdout.write(`${recipeText(recipe)}\n`);
    },
  };
}

function verifyCommand(context: Context, table: AddressTable): CommandModule {
  return {
    command: 'verify [files..]',
    describe: 'check names, shapes, finiteness and checksums of weight files or of a whole model',
    builder: (yargs) =>
      commonFlags(yargs, 'one JSON line for each file on stdout')
        .positional('files', filesPositional)
        .example('$0 weights verify epoch_5.pth', 'a file')
        .example('$0 weights verify crane+', 'every file of a model, with the checksums of its model.json'),
    handler: async (argv) => verify(context, table, filesOf(argv, 'verify'), argv['json'] === true),
  };
}

/** All files are checked, whatever is wrong with one; the exit code is that of the first fault. */
async function verify(context: Context, table: AddressTable, given: string[], json: boolean): Promise<void> {
  const { toCraneError } = await import('../errors.js');
  const { findTarget } = await import('../models/weights/targets.js');
  const { verifyFile } = await import('../models/weights/verify.js');
  const { verifiedText } = await import('../models/weights/tables.js');
  const { addon } = await context.loadAddon();
  const faults: CraneError[] = [];
  let checked = 0;
  const fault = (file: string, thrown: unknown) => {
    const error = toCraneError(thrown);
    faults.push(error);
    checked++;
    if (json) printJson(context, { file, ok: false, error });
    else
      context.stdout.write(
        `${paintOf(context).red('bad')} ${visible(file)}\n    ${visible(error.message)} [${error.code}]\n`,
      );
  };
  for (const name of given) {
    const target = await findTarget(name, table, context.env).catch((thrown: unknown) => fault(name, thrown));
    for (const file of target?.files ?? []) {
      if (context.stop.aborted) throw new CraneError('E_CANCELLED', `interrupted after ${checked} files`);
      try {
        const verified = await verifyFile(file, addon, table);
        checked++;
        if (json) printJson(context, { ...verified, ok: true });
        else context.stdout.write(verifiedText(verified));
      } catch (thrown) {
        fault(file.path, thrown);
      }
    }
  }
  const [first] = faults;
  if (!first) return;
  if (checked === 1) throw first;
  throw new CraneError(
    first.code,
    `${faults.length} of ${checked} files are faulty; the first: ${first.message}`,
    {
      hint: first.hint,
      cause: first,
    },
  );
}

function convertCommand(context: Context): CommandModule {
  return {
    command: 'convert [inputs..]',
    describe: 'write weights of any known kind as one safetensors file with the canonical names',
    builder: (yargs) =>
      commonFlags(yargs, 'the result as JSON on stdout')
        .positional('inputs', { ...filesPositional, describe: 'files that together hold one model' })
        .options(
          flagsFor(['out', 'dtype', 'force'], { out: { describe: 'the file to write (.safetensors)' } }),
        )
        .example('$0 weights convert ViT-L-14-336px.pt --out clip.safetensors --dtype f16', ''),
    handler: async (argv) => {
      const inputs = argumentsOf(argv, 'inputs');
      if (inputs.length === 0) throw new CraneError('E_USAGE', 'convert needs a weight file');
      const {
        out,
        dtype,
        force: overwrite,
      } = readFlags(argv, ['out', 'dtype', 'force']) as Pick<AllOptions, 'dtype' | 'force'> & {
        out?: string;
      };
      if (out === undefined) throw new CraneError('E_USAGE', 'convert needs --out <file.safetensors>');
      const { convert } = await import('../models/weights/convert.js');
      const { formatBytes } = await import('../terminal/bytes.js');
      const { addon } = await context.loadAddon();
      const made = await convert({ inputs, out, dtype, overwrite }, addon);
      if (argv['json']) return printJson(context, made);
      say(context, `${formatBytes(made.bytes)}, sha256 ${made.sha256}`);
      printPath(context, made.file);
    },
  };
}

function pullCommand(context: Context, table: AddressTable): CommandModule {
  return {
    command: 'pull [name]',
    describe: 'fetch or import published weights, checked; crane and crane+ become models for --model',
    builder: (yargs) =>
      commonFlags(yargs, 'the result as JSON on stdout')
        .positional('name', { type: 'string', describe: 'a name of `weights list`' })
        .options(
          flagsFor(['from', 'prompts', 'learnedOn', 'force'], {
            force: { describe: 'put --prompts in the place of others of that name' },
            prompts: {
              describe: 'a prompt file of your own',
              defaultDescription: "the authors'",
            },
          }),
        )
        .example('$0 weights pull crane', 'then: crane-native score part.png --model crane')
        .example('$0 weights pull crane+ --from downloads', 'without a connection'),
    handler: async (argv) => {
      const name = lastText(argv['name']);
      if (name === undefined)
        throw new CraneError('E_USAGE', 'pull needs a name', { hint: 'see crane-native weights list' });
      const { runPull } = await import('../models/weights/run-pull.js');
      const { formatBytes } = await import('../terminal/bytes.js');
      const { prompts, learnedOn = [], force = false } = readFlags(argv, ['prompts', 'learnedOn', 'force']);
      const from = readList(argv, 'from') ?? [];
      const request = { name, from, learnedOn, force, ...(prompts === undefined ? {} : { prompts }) };
      const pulled = await runPull(request, table, {
        env: context.env,
        stop: context.stop,
        log: (line) => say(context, line),
        loadAddon: async () => (await context.loadAddon()).addon,
      });
      if (argv['json']) return printJson(context, pulled);
      for (const { name: file, bytes, how } of pulled.files)
        say(context, `${file}: ${how}, ${formatBytes(bytes)}`);
      if (pulled.kind === 'model') say(context, `use it with --model ${pulled.name}`);
      printPath(context, pulled.path);
    },
  };
}

const filesPositional = {
  type: 'string',
  array: true,
  describe: 'weight files; or names of `weights list`; or the folder of a model',
} as const;

function commonFlags(yargs: Argv, json: string): Argv {
  return yargs.options(flagsFor(['json', 'verbose'], { json: { describe: json } }));
}

function filesOf(argv: Arguments, command: string): string[] {
  const files = argumentsOf(argv, 'files');
  if (files.length > 0) return files;
  throw new CraneError('E_USAGE', `${command} needs a weight file or a model`, {
    hint: 'the names of models: npx crane-native weights list',
  });
}

/** Arguments after `--` count even when they begin with a dash. */
function argumentsOf(argv: Arguments, name: string): string[] {
  return [argv[name], argv['--']].flatMap((list) => (list as unknown[] | undefined) ?? []).map(String);
}
