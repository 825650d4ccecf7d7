/**
 * What a scan of files looked at: what it took, what it left out and why. Every scan has one account, and every file that a
 * scan meets is counted in it, so that nothing is lost without a word.
 */
import { endingOf } from './file-kind.js';

interface Reason {
  one: string;
  many: string;
  /** what takes these files after all; completes "(... )" */
  way?: string;
}

/** In the order in which they are told. */
export const leftOutReasons = {
  'kind-not-read': { one: 'picture of a kind that is not read', many: 'pictures of kinds that are not read' },
  mask: {
    one: 'mask of a picture',
    many: 'masks of pictures',
    way: '--include-masks scores them',
  },
  subfolder: { one: 'subfolder', many: 'subfolders', way: '--recursive enters them' },
  'too-deep': {
    one: 'picture deeper than the layout reads',
    many: 'pictures deeper than the layout reads',
  },
  'outside-layout': {
    one: 'picture where the layout has no place for one',
    many: 'pictures where the layout has no place for them',
  },
  'no-label': { one: 'picture that nothing labels', many: 'pictures that nothing labels' },
  'not-in-index': {
    one: 'picture that the index does not name',
    many: 'pictures that the index does not name',
  },
  'no-split': {
    one: 'picture of a part that is neither train nor test',
    many: 'pictures of parts that are neither train nor test',
  },
  'unused-ground-truth': { one: 'mask that no picture uses', many: 'masks that no picture uses' },
  link: { one: 'link to a folder', many: 'links to folders', way: '--follow-links enters them' },
  gone: {
    one: 'folder that went while it was looked through',
    many: 'folders that went while they were looked through',
  },
  'broken-link': { one: 'broken link', many: 'broken links' },
  'name-not-utf8': {
    one: 'picture whose name is not UTF-8',
    many: 'pictures whose names are not UTF-8',
    way: 'rename them, for instance with convmv -f latin1 -t utf8 --notest',
  },
  duplicate: { one: 'folder that was entered before', many: 'folders that were entered before' },
  rubbish: { one: 'file or folder of rubbish', many: 'files and folders of rubbish' },
  hidden: { one: 'hidden file or folder', many: 'hidden files and folders' },
  'own-output': { one: 'folder of own results', many: 'folders of own results' },
  'no-picture': { one: 'other file', many: 'other files' },
  'other-split': { one: 'picture of the other split', many: 'pictures of the other split' },
} as const satisfies Record<string, Reason>;

export type LeftOutReason = keyof typeof leftOutReasons;

export interface LeftOut {
  reason: LeftOutReason;
  count: number;
  /** the first of them */
  examples: string[];
  /** of pictures of a kind that is not read: how many of each ending */
  endings?: Record<string, number>;
}

/** An account as results carry it. */
export interface ScanReport {
  /** pictures that were taken */
  pictures: number;
  /** files taken as masks of them */
  masks: number;
  /** by reason, in one order; only what there is */
  leftOut: LeftOut[];
}

const k_examples = 8;

export class ScanAccount {
  #pictures = 0;
  #masks = 0;
  readonly #leftOut = new Map<
    LeftOutReason,
    { count: number; examples: string[]; endings: Map<string, number> }
  >();

  takePicture(): void {
    this.#pictures++;
  }

  /** The last picture is not taken after all. */
  putBack(): void {
    this.#pictures--;
  }

  takeMask(): void {
    this.#masks++;
  }

  leaveOut(reason: LeftOutReason, path: string): void {
    let found = this.#leftOut.get(reason);
    if (found === undefined) {
      found = { count: 0, examples: [], endings: new Map() };
      this.#leftOut.set(reason, found);
    }
    found.count++;
    if (found.examples.length < k_examples) found.examples.push(path);
    if (reason === 'kind-not-read')
      found.endings.set(endingOf(path), (found.endings.get(endingOf(path)) ?? 0) + 1);
  }

  report(): ScanReport {
    const leftOut = (Object.keys(leftOutReasons) as LeftOutReason[]).flatMap((reason): LeftOut[] => {
      const found = this.#leftOut.get(reason);
      if (found === undefined) return [];
      const { count, examples, endings } = found;
      const ofEndings = endings.size === 0 ? {} : { endings: Object.fromEntries([...endings].sort()) };
      return [{ reason, count, examples: [...examples], ...ofEndings }];
    });
    return { pictures: this.#pictures, masks: this.#masks, leftOut };
  }
}

/** One sentence: `26 pictures and 12 masks; left out: 3 pictures of kinds that are not read (2 heic, 1 tga)`. */
export function scanLine({ pictures, masks, leftOut }: ScanReport): string {
  const taken = [countOf(pictures, 'picture'), ...(masks > 0 ? [countOf(masks, 'mask')] : [])].join(' and ');
  return taken + leftOutLine({ leftOut });
}

/** `; left out: ...`, or nothing. */
export function leftOutLine({ leftOut }: Pick<ScanReport, 'leftOut'>): string {
  // Of the other split nothing is lost: whoever asks for one split knows that there is another.
  const told = leftOut.filter(({ reason }) => reason !== 'other-split');
  return told.length === 0 ? '' : `; left out: ${told.map(leftOutText).join(', ')}`;
}

/** `2 links to folders (--follow-links enters them)` */
export function leftOutText({ reason, count, endings, examples }: LeftOut): string {
  const { one, many, way }: Reason = leftOutReasons[reason];
  const [only] = examples;
  const details = [
    endings === undefined
      ? count === 1 && only !== undefined
        ? only
        : ''
      : Object.entries(endings)
          .map(([ending, of]) => `${of} ${ending}`)
          .join(', '),
    way ?? '',
  ].filter((part) => part !== '');
  return `${count} ${count === 1 ? one : many}${details.length === 0 ? '' : ` (${details.join('; ')})`}`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
