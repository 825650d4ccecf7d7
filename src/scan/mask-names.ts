/**
 * Which file is the mask of which picture, by their names. Never by position in sorted lists, where one missing file
 * shifts every later pair.
 */
import { hasPictureEnding } from './file-kind.js';

/** What comes after a picture's name in the name of its mask, in the order in which they count; '' is the same name. */
const k_suffixes = [
  '_mask',
  '_label',
  '',
  '_gt',
  '_seg',
  '_segmentation',
  '_masks',
  '_labels',
  '_groundtruth',
  '_ground_truth',
  '_annotation',
  '-mask',
  '-label',
  '-gt',
  '-seg',
  '-segmentation',
  '.mask',
  '.gt',
  '.label',
] as const;

/** `0001_mask_1` beside `0001_mask`: one picture, several masks. */
const k_number = /_(\d+)$/;

export interface MaskGroup {
  /** paths that fit; more than one is united where they are numbered, and refused where they are not */
  masks: readonly string[];
  /** several masks have one name but for their ending, so that nobody knows which counts */
  isUnclear: boolean;
}

/** The masks in a folder, or in a tree of folders, looked up by the name of a picture. Suffixes count without case. */
export class MaskNames {
  readonly #byStem = new Map<string, string[]>();

  /** @param paths names, or paths with `/` between */
  constructor(paths: readonly string[]) {
    for (const path of paths) {
      const stem = lowerSuffix(stemOf(path));
      const known = this.#byStem.get(stem);
      if (known) known.push(path);
      else this.#byStem.set(stem, [path]);
    }
  }

  /**
   * Masks whose path is that of the picture but for suffix and ending, of the first suffix that has any.
   * @param withSameName false where pictures and masks lie together: then the same name is the picture itself
   */
  find(picture: string, withSameName = true): MaskGroup | undefined {
    const stem = stemOf(picture);
    for (const suffix of k_suffixes) {
      if (suffix === '' && !withSameName) continue;
      const first = this.#byStem.get(lowerSuffix(stem + suffix)) ?? [];
      const further = suffix === '' ? [] : this.#numbered(stem + suffix);
      if (first.length + further.length > 0)
        return { masks: [...first, ...further], isUnclear: first.length > 1 };
    }
    // NAME.jpg.png
    const doubled = withSameName ? this.#byStem.get(lowerSuffix(picture)) : undefined;
    return doubled && { masks: doubled, isUnclear: doubled.length > 1 };
  }

  #numbered(stem: string): string[] {
    const found: string[] = [];
    for (let number = 0; number < 1000; number++) {
      const next = this.#byStem.get(lowerSuffix(`${stem}_${number}`));
      if (next !== undefined) found.push(...next);
      // BUSI begins with 1, others with 0.
      else if (number > 1) break;
    }
    return found;
  }
}

/** The mask files among the names of one folder: name of the mask to name of its picture. */
export function masksBeside(names: readonly string[]): Map<string, string> {
  const pictures = names.filter(hasPictureEnding);
  const byStem = new Map(pictures.map((name) => [stemOf(name).normalize('NFC'), name]));
  const found = new Map<string, string>();
  for (const name of pictures) {
    for (const stem of pictureStemsOf(name)) {
      const picture = byStem.get(stem.normalize('NFC'));
      if (picture !== undefined) found.set(name, picture);
    }
  }
  return found;
}

/** The names that a mask's picture could have but for its ending; none when the name is not that of a mask. */
export function pictureStemsOf(mask: string): string[] {
  const stem = stemOf(mask);
  const lower = stem.replace(k_number, '').toLowerCase();
  return k_suffixes
    .filter((suffix) => suffix !== '' && lower.endsWith(suffix) && lower.length > suffix.length)
    .map((suffix) => stem.slice(0, lower.length - suffix.length));
}

export function stemOf(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? path.slice(0, dot) : path;
}

/**
 * The suffix in lower case, the name as it is: `Part1_MASK` and `part1_mask` belong to two pictures. Accents in one form: a
 * Mac writes `ä` as two signs, and nobody sees a difference.
 */
function lowerSuffix(given: string): string {
  const stem = given.normalize('NFC');
  const number = k_number.exec(stem)?.[0] ?? '';
  const plain = stem.slice(0, stem.length - number.length);
  const lower = plain.toLowerCase();
  const suffix = k_suffixes.find((one) => one !== '' && lower.endsWith(one));
  return suffix === undefined ? stem : plain.slice(0, plain.length - suffix.length) + suffix + number;
}

const k_maskFolders = new Set([
  'mask',
  'masks',
  'ground_truth',
  'groundtruth',
  'ground truth',
  'ground-truth',
  'gt',
]);

/** Whether a folder's name says that masks lie in it. */
export function isMaskFolder(name: string): boolean {
  return k_maskFolders.has(name.toLowerCase());
}
