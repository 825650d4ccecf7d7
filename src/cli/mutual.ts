/** What --mutual stands for: the pictures that are scored, compared with each other. */
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Engine } from '../engine/engine.js';
import type { MutualPictures } from '../engine/mutual-pictures.js';
import { CraneError } from '../errors.js';
import { normals } from '../methods/normals.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { type Context, say } from './context.js';
import { learningOptions } from './flags.js';
import type { Progress } from './progress.js';

export interface ScoredByEachOther {
  pictures: MutualPictures;
  /** what was read of standard input, once more */
  stdin: AsyncIterable<Uint8Array | string>;
  /** isDone: nobody goes on with what is kept */
  close(isDone: boolean): Promise<void>;
}

/**
 * Reads the patches of all inputs, and says what is assumed of them.
 * @throws CraneError E_NORMALS of fewer than two, E_EXISTS, those of engine.learnNormals
 */
export async function mutualOfInputs(
  context: Context,
  engine: Engine,
  inputs: readonly string[],
  values: AllOptions,
  progress: Progress,
): Promise<ScoredByEachOther> {
  const { recursive, includeMasks = false, followLinks = false, out, json, resume, force } = values;
  // Settings that no method has are told before all pictures are read.
  engine.addon.methodFacts(engine.settings().method);
  const { pathsOf } = await import('../scoring/bank-of-pictures.js');
  const { ScanAccount } = await import('../scan/scan-account.js');
  const { openMutualFolder } = await import('../scoring/mutual-folder.js');
  const exclude = out === undefined ? [] : [resolve(out)];
  const read: (Uint8Array | string)[] = [];
  const paths = await pathsOf(inputs, {
    ...{ recursive, includeMasks, exclude, followLinks },
    account: new ScanAccount(),
    stdin: kept(context.stdin, read),
  });
  const folder = await openMutualFolder({ out, resume, force }, context.env);
  try {
    progress.stage('patches', paths.length);
    const pictures = await engine.banks.mutual(paths, {
      ...learningOptions(values),
      folder: folder.path,
      signal: context.stop,
      onProgress: (done) => progress.at(done),
    });
    progress.clear();
    if (!json) say(context, saidOf(pictures));
    progress.stage('', 0);
    const close = async (isDone: boolean) => {
      pictures.remove();
      await folder.close(isDone);
    };
    return { pictures, stdin: Readable.from(read), close };
  } catch (thrown) {
    await folder.close(false);
    throw thrown;
  }
}

async function* kept<T>(source: AsyncIterable<T>, into: T[]): AsyncGenerator<T> {
  for await (const chunk of source) {
    into.push(chunk);
    yield chunk;
  }
}

function saidOf({ count, copies, failed }: MutualPictures): string {
  const left = [
    ...(copies > 0 ? [`${copies} have the content of another, and count once with it`] : []),
    ...(failed.length > 0 ? [`${failed.length} cannot be read, and none is compared with them`] : []),
  ];
  return [
    `each of ${count} pictures is compared with the others: most have to be good, and of one kind of thing`,
    ...left,
  ].join('; ');
}

/** @throws CraneError E_USAGE for flags that --mutual leaves no room for */
export function checkMutual(values: AllOptions, isGiven: (name: OptionName) => boolean): void {
  const others = [
    'normals',
    'normalsFrom',
    'evidence',
    'falseAlarmRate',
    'shard',
    'manifest',
    'prompts',
    'roi',
  ] as const;
  refuseBesideMutual(
    values,
    others.find(isGiven),
    'it compares the pictures with each other, and knows none that is good for sure',
  );
}

/** @throws CraneError E_USAGE where a flag was given that does not go with it, or another method */
export function refuseBesideMutual(
  { method }: Pick<AllOptions, 'method'>,
  excluded: OptionName | undefined,
  hint: string,
): void {
  if (excluded !== undefined)
    throw new CraneError('E_USAGE', `--mutual does not go with --${flagName(excluded)}`, { hint });
  if (method === undefined || method === normals.name) return;
  throw new CraneError('E_USAGE', `--mutual belongs to method ${normals.name}, not to ${method}`);
}
