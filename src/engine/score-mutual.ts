/** Pictures scored by each other, of which nobody knows which are good (docs/normals.md). */
import { rm } from 'node:fs/promises';
import { CraneError } from '../errors.js';
import { temporaryFolder } from '../files/temporary-folder.js';
import type { PictureInput } from '../images/picture-input.js';
import { checkOptions, wrongValue } from '../options/check.js';
import type { LearnNormalsChoices } from '../options/types.js';
import type { EngineBanks } from './engine-banks.js';
import { iterated, type NormalsSource, toEntry } from './learn-normals.js';
import type { ScoreManyCallOptions } from './picture-item.js';
import type { ScoreOutcome } from './result.js';
import type { Source } from './scheduler-source.js';

/** They say what else a picture is compared with, or which part of it. */
const k_excluded = [
  'method',
  'mutual',
  'normals',
  'evidence',
  'falseAlarmRate',
  'prompts',
  'className',
  'roi',
] as const;

export interface ScoreMutualOptions extends Omit<ScoreManyCallOptions, (typeof k_excluded)[number]> {
  /** how patches are read; each picture upright unless `turns` says more */
  learning?: LearnNormalsChoices;
  /**
   * where the patches of each picture are kept, read off the towers once: those that are there are used, and they stay. Default: a
   * temporary folder, taken away at the end
   */
  folder?: string;
  /** called as pictures are read, before the first result */
  onRead?: (done: number) => void;
}

/** What of an engine it takes. */
interface Scoring {
  readonly banks: EngineBanks;
  scoreMany(source: Source, options: ScoreManyCallOptions): AsyncIterable<ScoreOutcome>;
}

/** See Engine.scoreMutual. */
export function scoreMutual(
  engine: Scoring,
  source: NormalsSource,
  options: ScoreMutualOptions,
): AsyncGenerator<ScoreOutcome, void, undefined> {
  return scored(engine, source, checkMutual(options));
}

/** The options as they are now. @throws CraneError E_USAGE */
function checkMutual(options: ScoreMutualOptions) {
  if (typeof options !== 'object' || options === null)
    throw wrongValue('an object', 'the options of scoreMutual', options);
  const { learning = {}, folder, onRead, ...scoring } = options;
  const excluded = k_excluded.find((name) => (scoring as Record<string, unknown>)[name] !== undefined);
  if (excluded !== undefined)
    throw new CraneError('E_USAGE', `pictures are compared with each other: ${excluded} says otherwise`);
  if (folder !== undefined && (typeof folder !== 'string' || folder === ''))
    throw wrongValue('a path', 'folder', folder);
  if (onRead !== undefined && typeof onRead !== 'function') throw wrongValue('a function', 'onRead', onRead);
  return {
    learning: checkOptions('learnNormals', learning),
    scoring: checkOptions('scoreMany', scoring),
    folder,
    onRead,
  };
}

async function* scored(
  engine: Scoring,
  source: NormalsSource,
  { learning, scoring, folder, onRead }: ReturnType<typeof checkMutual>,
): AsyncGenerator<ScoreOutcome, void, undefined> {
  const given = iterated(source);
  const entries: { input: PictureInput; name?: string | undefined }[] = [];
  const noted = async function* () {
    for await (const entry of given) {
      entries.push(toEntry(entry));
      yield entry;
    }
  };
  const path = folder ?? (await temporaryFolder());
  try {
    const pictures = await engine.banks.mutual(noted(), {
      ...learning,
      folder: path,
      ...(scoring.signal ? { signal: scoring.signal } : {}),
      ...(onRead ? { onProgress: onRead } : {}),
    });
    try {
      const items = async function* () {
        for (const entry of named(entries)) yield { ...entry, normals: await pictures.of(entry.input) };
      };
      const compared = { method: 'normals', mutual: true, normals: pictures.all } as const;
      yield* engine.scoreMany(items(), { ...scoring, ...compared });
    } finally {
      pictures.remove();
    }
  } finally {
    if (folder === undefined) await rm(path, { recursive: true, force: true });
  }
}

function named(entries: readonly { input: PictureInput; name?: string | undefined }[]) {
  return entries.map(({ input, name }) => ({ input, ...(name === undefined ? {} : { name }) }));
}
