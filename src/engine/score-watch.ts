/**
 * Pictures that all have one score: no figure, no threshold and no order of them says anything, and hardly ever is it meant. Why it
 * is so is looked for in the pictures.
 */
import { createHash } from 'node:crypto';
import { CraneError } from '../errors.js';
import { contentHash } from '../files/content-hash.js';
import type { PictureNote } from '../images/samples.js';
import { visible } from '../terminal/visible.js';

interface OneScore {
  score: number;
  /** path of its file, or its bytes; undefined: nothing that could be read once more */
  file: string | Uint8Array | undefined;
  notes: readonly Pick<PictureNote, 'kind' | 'message'>[];
}

interface Kept extends Omit<OneScore, 'file'> {
  hash: () => Promise<string | undefined>;
}

export interface EqualScores {
  /** one sentence, without whose pictures they are */
  message: string;
  /** so they have to be equal */
  areOneFile: boolean;
}

/** Files whose bytes are compared, and whose notes are counted. */
const k_looked = 1000;

export class ScoreWatch {
  #count = 0;
  #areEqual = true;
  #first: Kept[] = [];

  add(picture: OneScore): void {
    this.#count++;
    if (!this.#areEqual) return;
    if (picture.score !== (this.#first[0]?.score ?? picture.score)) {
      this.#areEqual = false;
      this.#first = [];
    } else if (this.#first.length < k_looked) {
      const { score, file, notes } = picture;
      this.#first.push({ score, hash: hashOf(file), notes });
    }
  }

  /** @returns undefined: the scores differ, or there is one picture */
  async look(): Promise<EqualScores | undefined> {
    if (!this.#areEqual || this.#count < 2) return undefined;
    const areOneFile = await areSame(this.#first.map(({ hash }) => hash));
    const why = areOneFile ? 'every one is the same file' : reasonOf(this.#first);
    return {
      message: `all ${this.#count} pictures have the same score (${this.#first[0]!.score}): ${why}`,
      areOneFile,
    };
  }
}

/** What was odd about most of them. */
function reasonOf(pictures: readonly Kept[]): string {
  const counts = new Map<string, { count: number; message: string }>();
  for (const { notes } of pictures)
    for (const { kind, message } of notes)
      counts.set(kind, { count: (counts.get(kind)?.count ?? 0) + 1, message });
  const [most] = [...counts.values()].sort((a, b) => b.count - a.count);
  if (most === undefined || 2 * most.count < pictures.length)
    return 'the files differ, so they are hardly read as they are meant';
  return `of ${most.count} of them ${most.message}`;
}

/** Of bytes at once, so that they are not held; of a file when it is asked for. */
function hashOf(file: OneScore['file']): Kept['hash'] {
  if (typeof file === 'string') return () => contentHash(file).catch(() => undefined);
  const hash = file && createHash('sha256').update(file).digest('hex');
  return async () => hash;
}

async function areSame(hashes: readonly Kept['hash'][]): Promise<boolean> {
  let first: string | undefined;
  for (const read of hashes) {
    const hash = await read();
    if (hash === undefined || (first !== undefined && hash !== first)) return false;
    first ??= hash;
  }
  return true;
}

export function equalScoresError(name: string, { message }: EqualScores): CraneError {
  return new CraneError('E_SCORES_EQUAL', `${visible(name)}: ${message}`, {
    hint: 'look at the pictures: npx crane-native data check; what was written is kept, and where it is meant --allow-equal-scores (allowEqualScores) lets it pass',
  });
}
