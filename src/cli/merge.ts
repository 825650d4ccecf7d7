/** `crane-native merge`: proves that shards make one whole, and joins their results. */
import { extname } from 'node:path';
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import type { AllOptions, OptionName } from '../options/types.js';
import type { WrittenFormat } from '../sinks/writers.js';
import { type Context, hasColour, say } from './context.js';
import { flagsFor, readFlags } from './flags.js';

const names = ['format', 'out', 'mixedMachines', 'force', 'json'] as const satisfies readonly OptionName[];
const byEnding: Readonly<Record<string, WrittenFormat>> = {
  '.jsonl': 'jsonl',
  '.csv': 'csv',
  '.parquet': 'parquet',
};

export function mergeCommand(context: Context): CommandModule {
  return {
    command: 'merge <shards..>',
    describe:
      'join the results of score --shard, after a proof that none is missing, double or of other settings',
    builder: (yargs) => {
      const flags = flagsFor(names);
      return yargs
        .positional('shards', {
          type: 'string',
          array: true,
          describe: 'folders of results, or the files of single shards',
        })
        .options({
          ...flags,
          format: { ...flags['format'], defaultDescription: "by --out's ending; table or jsonl on stdout" },
          out: { ...flags['out'], describe: 'file for the merged results', defaultDescription: 'stdout' },
        })
        .example('$0 merge results --out all.parquet', 'every shard of one folder')
        .example('$0 merge node-1 node-2 node-3 --format csv', 'a folder from each machine');
    },
    handler: (argv) => merge(context, argv['shards'] as string[], argv),
  };
}

async function merge(context: Context, given: string[], argv: Record<string, unknown>): Promise<void> {
  const values = readFlags(argv, names) as AllOptions;
  const { out, mixedMachines, force } = values;
  const format = formatOf(context, values);
  const { mergeShards } = await import('../work/merge-shards.js');
  const { writers } = await import('../sinks/writers.js');
  const look = { columns: context.isTerminal.columns, colour: hasColour(context) };
  const { streamWhole } = await import('../files/stream-whole.js');
  const merged =
    out === undefined
      ? await mergeShards(given, { mixedMachines }, async () => writers[format](context.stdout, look))
      : await streamWhole(out, { overwrite: force }, (stream) =>
          mergeShards(given, { mixedMachines }, async () => writers[format](stream, look)),
        );
  const failed = merged.failed > 0 ? `, ${merged.failed} of them failed` : '';
  say(context, `${merged.shards} shards, ${merged.rows} results${failed}, ${merged.model}`);
}

function formatOf({ isTerminal }: Context, { format, out }: AllOptions): WrittenFormat {
  if (format !== 'auto') return format;
  if (out === undefined) return isTerminal.stdout ? 'table' : 'jsonl';
  const known = byEnding[extname(out).toLowerCase()];
  if (known) return known;
  throw new CraneError('E_USAGE', `${out}: its ending says no format`, {
    hint: `end it in ${Object.keys(byEnding).join(', ')}, or give --format`,
  });
}
