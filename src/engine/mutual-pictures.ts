/**
 * Pictures that are scored by each other (methods/normals.md 6): the patches of each lie in a file of a folder, read off the
 * towers once, and the engine reads those it compares. Of several pictures with one content one is compared.
 */
import { throwIfCancelled, untilCancelled, withAny } from '../cancellation.js';
import { CraneError, toCraneError } from '../errors.js';
import { type PictureInput, toPictureSource } from '../images/picture-input.js';
import { defaultMethod } from '../methods/registry.js';
import { NormalBank } from '../normals/normal-bank.js';
import type { LearnNormalsChoices } from '../options/types.js';
import {
  bankFacts,
  hashOf,
  iterated,
  type LearningParts,
  type LearnNormalsOptions,
  type NormalsSource,
  toEntry,
} from './learn-normals.js';
import { openPatches } from './patch-files.js';
import type { FailedPicture } from './result.js';

/** Upright: another picture of the same kind stands as this one does. */
const k_turns = 1;

export interface MutualPicturesOptions extends LearnNormalsOptions {
  /** where the patches are kept; those that are there are used */
  folder: string;
}

export interface MutualPictures {
  /** stands for them all: what results are labelled with, and what a picture is compared with that is none of them */
  readonly all: NormalBank;
  /** with different contents */
  readonly count: number;
  /** further ones, of a content that another has */
  readonly copies: number;
  /** that cannot be read, and with which none is compared */
  readonly failed: Pick<FailedPicture, 'input' | 'error'>[];
  /** What a picture is compared with, by its content as it is now; `all` where it is none of them or cannot be read. */
  of(input: PictureInput): Promise<NormalBank>;
  /** Frees what is held; the files stay. */
  remove(): void;
}

/** @throws CraneError E_NORMALS of fewer than two that can be read, E_USAGE, E_MODEL_CONFIG, E_CANCELLED, E_IO_WRITE */
export async function learnMutual(
  given: LearningParts,
  source: NormalsSource,
  { folder, onProgress, onNotes: _, signal, ...chosen }: MutualPicturesOptions,
): Promise<MutualPictures> {
  const parts: LearningParts = { ...given, method: defaultMethod('normals') };
  // They change what stands for a picture's patches, which are all compared here.
  const unread = (['bankSize', 'bankPrecision', 'bankVariance'] as const).find(
    (name) => chosen[name] !== undefined,
  );
  if (unread !== undefined || chosen.bankKind === 'subspace' || chosen.bankForeground)
    throw new CraneError(
      'E_USAGE',
      `pictures that are compared with each other take no ${unread ?? (chosen.bankForeground ? 'bankForeground' : 'subspace')}`,
      {
        hint: 'all of their patches are compared, as they are',
      },
    );
  const choices: LearnNormalsChoices = {
    ...chosen,
    bankKind: 'nearest',
    bankForeground: false,
    turns: chosen.turns ?? k_turns,
  };
  return withAny([signal, parts.disposed], (stop) =>
    readAll(stop, parts, source, { folder, choices, ...(onProgress && { onProgress }) }),
  );
}

async function readAll(
  stop: AbortSignal,
  parts: LearningParts,
  source: NormalsSource,
  {
    folder,
    choices,
    onProgress,
  }: Pick<MutualPicturesOptions, 'folder' | 'onProgress'> & { choices: LearnNormalsChoices },
): Promise<MutualPictures> {
  const paths = new Map<string, string>();
  const failed: MutualPictures['failed'] = [];
  let done = 0;
  let copies = 0;
  for await (const entry of untilCancelled(iterated(source), stop)) {
    const { input, name } = toEntry(entry);
    const shown = toPictureSource(input, name).name;
    try {
      const sha256 = await contentOf(input);
      if (paths.has(sha256)) copies++;
      else {
        const picture = { input, name: shown, sha256 };
        const { bank, path } = await openPatches(parts, folder, picture, { ...choices, signal: stop });
        bank.remove();
        paths.set(sha256, path);
      }
    } catch (thrown) {
      const error = toCraneError(thrown);
      if (error.exitCode !== 3 && error.code !== 'E_IO_READ') throw error;
      failed.push({ input: shown, error: error.toJSON() });
    }
    onProgress?.(++done);
  }
  throwIfCancelled(stop);
  checkCount(paths.size, done, failed);
  return opened(parts, paths, { copies, failed, choices });
}

async function opened(
  parts: LearningParts,
  paths: ReadonlyMap<string, string>,
  { copies, failed, choices }: Pick<MutualPictures, 'copies' | 'failed'> & { choices: LearnNormalsChoices },
): Promise<MutualPictures> {
  const { native, method } = parts;
  // Neither their order nor their names decide a score.
  const pictures = [...paths.keys()].sort().map((sha256) => ({ name: sha256, sha256 }));
  const facts = bankFacts(parts, pictures, choices);
  const width = String(paths.size).length;
  const files = Object.fromEntries(
    [...paths.values()].map((path, i) => [`picture.${String(i).padStart(width, '0')}`, path]),
  );
  const set = await native.addContext({ texts: {}, files }, method);
  const all = new NormalBank(native, set, facts);
  const own = new Map<string, NormalBank>();
  const remove = () => {
    for (const bank of [all, ...own.values()]) bank.remove();
  };
  try {
    for (const [sha256, path] of paths) {
      const material = { texts: {}, files: { picture: path }, contexts: { mutual: [set] } };
      own.set(sha256, new NormalBank(native, await native.addContext(material, method), facts));
    }
  } catch (thrown) {
    remove();
    throw thrown;
  }
  const of = async (input: PictureInput) => {
    const sha256 = await contentOf(input).catch(() => undefined);
    return (sha256 !== undefined && own.get(sha256)) || all;
  };
  return { all, count: own.size, copies, failed, of, remove };
}

/** @throws CraneError E_USAGE for a stream, those of a file that cannot be read */
async function contentOf(input: PictureInput): Promise<string> {
  const source = toPictureSource(input);
  if (source.kind !== 'stream') return hashOf(source);
  throw new CraneError('E_USAGE', 'a stream is read once, and pictures that are compared are needed twice', {
    hint: 'give a path, bytes or pixels',
  });
}

/** @throws CraneError E_NORMALS */
function checkCount(count: number, given: number, failed: MutualPictures['failed']): void {
  if (count >= 2) return;
  const [first] = failed;
  const why = [
    `${given} ${given === 1 ? 'picture' : 'pictures'}`,
    ...(first ? [`${failed.length} could not be read (${first.input}: ${first.error.message})`] : []),
    ...(count === 1 && given - failed.length > 1 ? ['the others are copies of one'] : []),
  ].join(', ');
  throw new CraneError(
    'E_NORMALS',
    `pictures are compared with each other, which takes two with different contents: ${why}`,
    { hint: 'name more, or compare with good pictures: --normals-from FOLDER' },
  );
}
