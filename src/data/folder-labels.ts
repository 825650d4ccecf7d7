/**
 * Whether the pictures of a folder are normal, by the folder's name. What a name does not tell is asked for and never
 * guessed: a folder that is silently taken as anomalous spoils every figure.
 */

import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { DataChoices } from '../options/types.js';
import { shellOption } from '../terminal/shell-word.js';
import { visible } from '../terminal/visible.js';

export type LabelChoices = Pick<DataChoices, 'normalFolder' | 'anomalousFolder' | 'unknownFolders'>;

/** As inspection lines and papers in several languages call them; compared without case, blanks and signs. */
const k_normal = new Set(
  (
    'good ok okay normal normals nominal healthy clean pass passed accept accepted io gut gutteil gutteile ' +
    'defectfree nodefect nodefects nondefect nondefective defectless anomalyfree faultfree nofault goodparts okparts ' +
    'bueno buenos bon bons buono buoni 良品 正常 合格 正常品 合格品 양품 정상'
  ).split(' '),
);
const k_anomalous = new Set(
  (
    'bad ng ko nok notok nio anomaly anomalies anomalous abnormal abnormals abnormality defect defects defective defected ' +
    'fail failed failure fault faults faulty reject rejects rejected scrap damaged broken notgood nogood ungood ' +
    'schlecht schlechtteil ausschuss malo malos mauvais 不良 不良品 缺陷 异常 異常 不合格 不合格品 불량 불량품'
  ).split(' '),
);
/** Names that mean either: a test that is positive found a defect, a sample that is positive may be a good one. */
const k_either = new Set('negative negatives neg positive positives pos yes no true false 0 1'.split(' '));
/** Words that turn the word after them into its opposite. */
const k_negations = new Set(['no', 'not', 'non', 'un', 'ab', 'n']);

export interface LabelledKind {
  name: string;
  /** its pictures have masks: ground truth says that they are anomalous */
  hasMasks?: boolean;
}

export class FolderLabels {
  readonly #normal: ReadonlySet<string>;
  readonly #anomalous: ReadonlySet<string>;
  readonly #takesUnknown: boolean;
  readonly #named: readonly { name: string; option: string }[];
  /** names of what was labelled */
  readonly #met = new Set<string>();
  readonly #masksTell: boolean;

  /** @param masksTell a folder without a known name is anomalous where its pictures have masks */
  constructor(
    { normalFolder = [], anomalousFolder = [], unknownFolders = 'stop' }: LabelChoices = {},
    masksTell = true,
  ) {
    this.#masksTell = masksTell;
    this.#named = [
      ...normalFolder.map((name) => ({ name, option: '--normal-folder' })),
      ...anomalousFolder.map((name) => ({ name, option: '--anomalous-folder' })),
    ];
    this.#normal = new Set(normalFolder.map(lower));
    this.#anomalous = new Set(anomalousFolder.map(lower));
    this.#takesUnknown = unknownFolders === 'anomalous';
    const both = normalFolder.find((name) => this.#anomalous.has(lower(name)));
    if (both !== undefined)
      throw new CraneError('E_USAGE', `folder ${both} cannot be normal and anomalous`, {
        hint: 'name it with --normal-folder or with --anomalous-folder',
      });
  }

  isNormal(name: string): boolean {
    if (this.#normal.has(lower(name))) return true;
    return !this.#anomalous.has(lower(name)) && k_normal.has(plain(name));
  }

  isAnomalous(name: string): boolean {
    if (this.#anomalous.has(lower(name))) return true;
    return !this.#normal.has(lower(name)) && k_anomalous.has(plain(name));
  }

  isKnown(name: string): boolean {
    return this.isNormal(name) || this.isAnomalous(name);
  }

  /** Whether a kind that is no folder, such as a word in a table, is normal. */
  isNormalKind(name: string): boolean {
    this.#met.add(name);
    return this.isNormal(name);
  }

  /** Of each name that was given and that no kind has whose label its name decides, a sentence. @param set its name */
  unmet(set: string): string[] {
    const met = new Set([...this.#met].map(lower));
    return this.#named
      .filter(({ name }) => !met.has(lower(name)))
      .map(({ name, option }) => {
        const nearest = nearestName(name, [...this.#met]);
        const meant = nearest === undefined ? '' : `; did you mean ${visible(nearest)}?`;
        return `${option} ${visible(name)} changes nothing in ${visible(set)}: nothing of that name is labelled by its name there${meant}`;
      });
  }

  /**
   * Which of the folders beside each other are anomalous. Beside a normal folder every other name is that of a defect, as
   * in MVTec AD, unless it speaks of good parts itself.
   * @param where the folder that they lie in, for messages
   * @throws CraneError E_DATA_LABELS
   */
  label(kinds: readonly LabelledKind[], where: string): Map<string, boolean> {
    const hasNormal = kinds.some(({ name }) => this.isNormal(name));
    const unknown: string[] = [];
    const labels = new Map<string, boolean>();
    for (const { name, hasMasks } of kinds) {
      this.#met.add(name);
      // Masks of one name fit pictures of any folder, so they cannot tell of two folders which is which.
      const isToldByMasks = this.#masksTell && hasMasks === true && !k_either.has(name.toLowerCase());
      const isClear =
        this.isKnown(name) || this.#takesUnknown || (!soundsNormal(name) && (hasNormal || isToldByMasks));
      if (!isClear) unknown.push(name);
      labels.set(name, !this.isNormal(name));
    }
    if (unknown.length > 0) throw unknownLabels(unknown, where, hasNormal);
    return labels;
  }
}

function unknownLabels(names: readonly string[], where: string, hasNormal: boolean): CraneError {
  const shown = names.slice(0, 6).map((name) => visible(name));
  const list = names.length > 6 ? `${shown.join(', ')} and ${names.length - 6} more` : shown.join(', ');
  const what = names.length === 1 ? 'folder' : 'folders';
  const likely = names.find(soundsNormal);
  return new CraneError(
    'E_DATA_LABELS',
    `${visible(where)}: are the pictures in ${what} ${list} normal or anomalous? No name tells it${hasNormal ? ' for sure' : ', and no folder is called good, ok or normal'}`,
    {
      hint: `say it: ${shellOption('normal-folder', likely ?? 'NAME')} for folders of normal pictures, --anomalous-folder NAME for others (or --unknown-folders anomalous for all that are unknown)`,
    },
  );
}

/** `ok_parts`, `good2`, but not `not_good`. */
function soundsNormal(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '');
  return words.some((word, at) => k_normal.has(word) && !k_negations.has(words[at - 1] ?? ''));
}

/** A Mac writes accents, and Korean, in pieces. */
function lower(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Without case, blanks and signs: `Not-OK`, `not_ok` and `NotOk` are one word. */
function plain(name: string): string {
  return lower(name).replace(/[^\p{L}]/gu, '');
}
