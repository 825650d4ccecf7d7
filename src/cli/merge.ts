/** `crane-native merge`: proves that shards make one whole, and joins their results. */
import { extname } from 'node:path';
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { kindOf } from '../files/kind-of.js';
import type { AllOptions, OptionName } from '../options/types.js';
import type { ResultWriter } from '../sinks/result-writer.js';
import type { WrittenFormat } from '../sinks/writers.js';
import type { Merged } from '../work/merge-shards.js';
import { type Context, hasColour, say } from './context.js';
import { flagsFor, readFlags } from './flags.js';

const names = [
  'format',
  'out',
  'mixedMachines',
  'submission',
  'force',
  'json',
] as const satisfies readonly OptionName[];
const byEnding: Readonly<Record<string, WrittenFormat>> = {
  '.jsonl': 'jsonl',
  '.csv': 'csv',
  '.parquet': 'parquet',
  '.json': 'coco',
};

export function mergeCommand(context: Context): CommandModule {
  return {
    command: 'merge <shards..>',
    describe:
      'join the results of shards or of a queue, after a proof that none is missing, double or of other settings',
    builder: (yargs) => {
      const flags = flagsFor(names);
      return yargs
        .positional('shards', {
          type: 'string',
          array: true,
          describe: 'folders of results, files of single shards, or what was --out of submit',
        })
        .options({
          ...flags,
          format: { ...flags['format'], defaultDescription: "by --out's ending; table or jsonl on stdout" },
          out: {
            ...flags['out'],
            describe: 'file for the merged results, or s3://BUCKET/KEY',
            defaultDescription: 'stdout',
          },
        })
        .example('$0 merge results --out all.parquet', 'every shard of one folder')
        .example('$0 merge node-1 node-2 node-3 --format csv', 'a folder from each machine');
    },
    handler: (argv) => merge(context, argv['shards'] as string[], argv),
  };
}

async function merge(context: Context, given: string[], argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as AllOptions;
  const { out, force } = values;
  const format = formatOf(context, values);
  const join = await joiner(given, values);
  const { writers } = await import('../sinks/writers.js');
  const look = { columns: context.isTerminal.columns, colour: hasColour(context) };
  const { streamTo } = await import('../stores/stream-to.js');
  const merged =
    out === undefined
      ? await join(async () => writers[format](context.stdout, look))
      : await streamTo(out, { overwrite: force }, (stream) =>
          join(async () => writers[format](stream, look)),
        );
  const failed = merged.failed > 0 ? `, ${merged.failed} of them failed` : '';
  say(context, `${merged.shards} shards, ${merged.rows} results${failed}, ${merged.model}`);
}

type Join = (open: () => Promise<ResultWriter>) => Promise<Merged>;

/** Shards, or the parts of a submission: by what lies there. */
async function joiner(given: readonly string[], { mixedMachines, submission }: AllOptions): Promise<Join> {
  const { openStore, isRemote } = await import('../stores/open-store.js');
  const [first] = given;
  const isAlone = given.length === 1 && (isRemote(first!) || (await kindOf(first!)) === 'folder');
  if (isAlone) {
    const { mergeSubmission, submissionsIn } = await import('../work/merge-submission.js');
    const store = await openStore(first!);
    const ids = submission === undefined ? await submissionsIn(store) : [submission];
    if (ids.length > 1) {
      throw new CraneError('E_USAGE', `${first}: ${ids.length} submissions are kept there`, {
        hint: `choose one with --submission: ${ids.slice(0, 5).join(', ')}`,
      });
    }
    if (ids.length === 1) return (open) => mergeSubmission(store, ids[0]!, open);
    if (isRemote(first!)) {
      const { withFetchedShards } = await import('../work/fetch-shards.js');
      const { mergeShards } = await import('../work/merge-shards.js');
      return (open) => withFetchedShards(store, (folder) => mergeShards([folder], { mixedMachines }, open));
    }
  }
  if (submission !== undefined)
    throw new CraneError('E_USAGE', '--submission goes with one folder or address');
  const { mergeShards } = await import('../work/merge-shards.js');
  return (open) => mergeShards(given, { mixedMachines }, open);
}

function formatOf({ isTerminal }: Context, { format, out }: AllOptions): WrittenFormat {
  if (format === 'labelme') {
    throw new CraneError('E_USAGE', 'merge makes no files of single pictures', {
      hint: 'those of --format labelme lie in the folders of the shards',
    });
  }
  if (format !== 'auto') return format;
  if (out === undefined) return isTerminal.stdout ? 'table' : 'jsonl';
  const known = byEnding[extname(out).toLowerCase()];
  if (known) return known;
  throw new CraneError('E_USAGE', `${out}: its ending says no format`, {
    hint: `end it in ${Object.keys(byEnding).join(', ')}, or give --format`,
  });
}
