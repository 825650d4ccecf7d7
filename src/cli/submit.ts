/** `crane-native submit`: puts pictures into a queue, in chunks that workers score. */
import type { CommandModule } from 'yargs';
import { CraneError } from '../errors.js';
import { options } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import type { ChunkLine, WorkSettings } from '../work/submission.js';
import { type Context, say } from './context.js';
import { flagsFor, optionsIn, readFlags } from './flags.js';
import { startProgress } from './progress.js';
import { sayScan } from './say-scan.js';
import { printJson } from './subcommands.js';

const own = ['redis', 'queue', 'manifest', 'chunk', 'attempts', 'backoffMs', 'jobPriority', 'again'] as const;
const rows = ['regions', 'maps', 'mapSize', 'heatmaps', 'heatmapFormat', 'heatmapRange', 'timings'] as const;
/** What a job carries to scoreMany. A bank is a file: workers would have to have it. */
const choices = optionsIn('Picture', 'Normals', 'Method', 'Compatibility').filter((name) =>
  (options[name].calls as readonly string[] | undefined)?.includes('scoreMany'),
);
const names: OptionName[] = [
  ...own,
  'out',
  'model',
  ...rows,
  'recursive',
  'includeMasks',
  'followLinks',
  'limit',
  ...choices.filter((name) => !rows.includes(name as never)),
  'json',
];

export function submitCommand(context: Context): CommandModule {
  return {
    command: 'submit [inputs..]',
    describe: 'queue pictures for workers: files, folders, @list, s3://, or a manifest',
    builder: (yargs) => {
      const flags = flagsFor(names);
      return yargs
        .positional('inputs', {
          type: 'string',
          array: true,
          describe: 'as for score; paths as workers see them',
        })
        .options({
          ...flags,
          out: {
            ...flags['out'],
            describe: 'folder that all workers share, or s3://BUCKET/PREFIX',
            defaultDescription: 'needed',
          },
          json: {
            ...flags['json'],
            describe: 'what was submitted as JSON on stdout, errors as JSON on stderr',
          },
        })
        .example('$0 submit /data/pictures --recursive --out /data/results', 'a folder that workers share')
        .example('$0 submit s3://bucket/pictures --recursive --out s3://bucket/results', 'a bucket');
    },
    handler: (argv) => submit(context, argv),
  };
}

async function submit(context: Context, argv: Record<string, unknown>): Promise<void> {
  const inputs = [argv['inputs'], argv['--']].flatMap((list) => (list as string[] | undefined) ?? []);
  const values = readFlags(argv, names) as AllOptions;
  const { out, manifest, json } = values;
  if (out === undefined) {
    throw new CraneError('E_USAGE', 'submit needs a place for the results that all workers reach', {
      hint: 'add --out FOLDER or --out s3://BUCKET/PREFIX',
    });
  }
  if (inputs.length > 0 === (manifest !== undefined))
    throw new CraneError('E_USAGE', 'submit needs inputs or a --manifest, and not both');
  const { openStore, isRemote } = await import('../stores/open-store.js');
  const { submitWork } = await import('../work/submit.js');
  const { WorkQueue } = await import('../work/queue.js');
  const { resolve } = await import('node:path');
  const store = await openStore(isRemote(out) ? out : resolve(out));
  const queue = await WorkQueue.open(values.redis, values.queue);
  const progress = startProgress(context);
  try {
    const { pictures, scan } = await picturesOf(context, inputs, values);
    const settings = settingsOf(values);
    const submitted = await submitWork({
      pictures,
      settings,
      title: titleOf(manifest === undefined ? inputs : [manifest], values, resolve),
      store,
      queue,
      chunk: values.chunk,
      ask: { priority: values.jobPriority, attempts: values.attempts, backoffMs: values.backoffMs },
      stop: context.stop,
      onChunk: (count) => {
        for (let each = 0; each < count; each++) progress.step();
      },
    });
    progress.stop();
    if (scan) sayScan(context, scan(), json);
    if (json) return printJson(context, submitted);
    const known = submitted.done > 0 ? `, ${submitted.done} of them done already` : '';
    say(context, `${submitted.pictures} pictures in ${submitted.chunks} chunks${known}`);
    context.stdout.write(`${submitted.id}\n`);
  } finally {
    progress.stop();
    store.close();
    await queue.close();
  }
}

/** Other pictures of the same inputs, or cut otherwise, are other work. */
export function titleOf(
  named: readonly string[],
  {
    manifest,
    limit,
    chunk,
    recursive,
    includeMasks,
    followLinks,
  }: Partial<Pick<AllOptions, 'manifest' | 'limit' | 'chunk' | 'recursive' | 'includeMasks' | 'followLinks'>>,
  resolve: (path: string) => string,
): string {
  const inputs = named.map((each) => (isAddress(each) || each === '-' ? each : resolve(each)));
  const isManifest = manifest !== undefined;
  return JSON.stringify({ inputs, isManifest, limit, chunk, recursive, includeMasks, followLinks });
}

function isAddress(text: string): boolean {
  return /^(?:[a-z0-9]+:\/\/|data:|file:)/i.test(text);
}

function settingsOf(values: AllOptions): WorkSettings {
  const given: Record<string, unknown> = {};
  const compat: Record<string, unknown> = {};
  for (const name of choices) {
    const value = values[name];
    if (value === undefined || name === 'regions') continue;
    if (name.startsWith('compat.')) compat[name.slice('compat.'.length)] = value;
    else given[name] = value;
  }
  const { model, regions, maps, mapSize, heatmaps, heatmapFormat, heatmapRange, timings, again } = values;
  return {
    model,
    choices: { ...given, ...(Object.keys(compat).length > 0 ? { compat } : {}) },
    regions,
    maps: maps ?? null,
    mapSize,
    heatmaps: heatmaps ? { format: heatmapFormat, range: heatmapRange ?? null } : null,
    timings,
    ...(again ? { again: new Date().toISOString() } : {}),
  };
}

async function picturesOf(context: Context, inputs: string[], values: AllOptions) {
  const { limit = Number.POSITIVE_INFINITY, manifest } = values;
  if (manifest !== undefined) {
    const { readManifest } = await import('../sources/manifest.js');
    const { resolve } = await import('node:path');
    const rows = async function* (): AsyncGenerator<ChunkLine> {
      for await (const row of readManifest(manifest))
        yield { ...row, ...asWorkersSee(row.uri, row.id, resolve) };
    };
    return { pictures: first(limit, rows()), scan: undefined };
  }
  const { listInputs } = await import('../sources/list-inputs.js');
  const { ScanAccount } = await import('../scan/scan-account.js');
  const { resolve } = await import('node:path');
  const account = new ScanAccount();
  const { recursive, includeMasks, followLinks } = values;
  const listed = listInputs(inputs, {
    recursive,
    includeMasks,
    followLinks: followLinks ?? false,
    exclude: [],
    account,
    stdin: context.stdin,
  });
  const lines = async function* (): AsyncGenerator<ChunkLine> {
    for await (const { input, name } of listed) {
      if (input instanceof Blob) yield { uri: name };
      else if (typeof input === 'string' && !input.startsWith('data:'))
        yield asWorkersSee(input, undefined, resolve);
      else {
        throw new CraneError('E_USAGE', `${name}: workers cannot reach it`, {
          hint: 'submit files of a folder that they share, or addresses',
        });
      }
    }
  };
  return { pictures: first(limit, lines()), scan: () => account.report() };
}

/** Workers run elsewhere, so paths are whole; names in results are those that `score` gives. */
function asWorkersSee(uri: string, id: string | undefined, resolve: (path: string) => string): ChunkLine {
  if (isAddress(uri)) return { uri, ...(id === undefined ? {} : { id }) };
  const path = resolve(uri);
  const name = id ?? uri;
  return { uri: path, ...(name === path ? {} : { id: name }) };
}

async function* first<T>(limit: number, all: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const each of all) {
    if (count++ === limit) return;
    yield each;
  }
}
