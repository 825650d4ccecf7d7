/** `crane-native weights synth`: weights by a recipe, for benchmarks and for trying. */
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { type BackboneName, backboneNames, isBackboneName } from '../models/backbones.js';
import {
  isLearnedPart,
  isSyntheticModel,
  type LearnedPart,
  learnedParts,
  type SyntheticModel,
  syntheticModels,
  toyBackboneName,
} from '../models/model-names.js';
import type { AllOptions } from '../options/types.js';
import { shellOption } from '../terminal/shell-word.js';
import { type Context, printPath, say } from './context.js';
import { flagsFor, readFlags } from './flags.js';
import { printJson } from './subcommands.js';

export function synthCommand(context: Context): CommandModule {
  const kinds = [...syntheticModels, ...backboneNames, ...learnedParts, toyBackboneName];
  return {
    command: 'synth [kind]',
    describe:
      'make a full-size model, the weights of a backbone, or what a compared system learns, by a recipe: for benchmarks (needs no download)',
    builder: (yargs) =>
      yargs
        .positional('kind', { type: 'string', describe: kinds.join(' or ') })
        .options(
          flagsFor(['out', 'force', 'json', 'verbose'], {
            json: { describe: 'the result as JSON on stdout' },
            out: {
              describe: 'the folder to make; of a backbone or of what is learned, the file (.safetensors)',
              defaultDescription: 'models/synth-<kind>, weights/synth-<kind>.safetensors in the cache folder',
            },
          }),
        )
        .example(
          '$0 weights synth toy-backbone',
          'then: crane-native score part.png --model toy-backbone --method winclip --class-name nut',
        )
        .example('$0 weights synth crane+', 'then: crane-native score part.png --model synth-crane+'),
    handler: async (argv) => {
      const kind = String(argv['kind'] ?? '');
      if (!isSyntheticModel(kind) && !isFileKind(kind) && kind !== toyBackboneName) {
        throw new CraneError(
          'E_USAGE',
          kind === '' ? 'synth needs a kind' : `there is no synthetic "${kind}"`,
          { hint: `one of ${kinds.join(', ')}` },
        );
      }
      const { synthModel, synthName, synthToyBackbone } = await import('../models/weights/synth-model.js');
      const { formatBytes } = await import('../terminal/bytes.js');
      const { out: given, force: overwrite } = readFlags(argv, ['out', 'force']) as Pick<
        AllOptions,
        'force'
      > & { out?: string };
      const out = given ?? (await defaultOut(kind, context.env));
      const { addon } = await context.loadAddon();
      const log = (line: string) => say(context, line);
      const how = { out, overwrite, addon, stop: context.stop, log };
      if (isFileKind(kind)) {
        const { synthFile } = await import('../models/weights/synth-file.js');
        const made = await synthFile(kind, how);
        if (argv['json']) return printJson(context, made);
        say(context, formatBytes(made.bytes));
        printPath(context, made.file);
        return;
      }
      const isToy = kind === toyBackboneName;
      const made = isToy ? await synthToyBackbone(how) : await synthModel(kind, how);
      if (argv['json']) return printJson(context, made);
      const name = isToy ? toyBackboneName : synthName(kind);
      say(context, `${formatBytes(made.bytes)}; use it with ${shellOption('model', given ?? name)}`);
      if (isToy) say(context, 'to try methods with: its figures mean nothing');
      printPath(context, made.folder);
    },
  };
}

/** What is one file, not a folder. */
type FileKind = BackboneName | LearnedPart;

function isFileKind(kind: string): kind is FileKind {
  return isBackboneName(kind) || isLearnedPart(kind);
}

async function defaultOut(
  kind: SyntheticModel | FileKind | typeof toyBackboneName,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  if (isFileKind(kind)) {
    const { storeFolder } = await import('../models/weights/store.js');
    const { synthFileName } = await import('../models/weights/synth-file.js');
    return join(await storeFolder(env), synthFileName(kind));
  }
  const { synthName } = await import('../models/weights/synth-model.js');
  const { modelFolder } = await import('../models/weights/model-folder.js');
  return modelFolder(kind === toyBackboneName ? kind : synthName(kind), env);
}
