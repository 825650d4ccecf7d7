/** What a source gives: a picture, alone or with what is its own. */
import { CraneError } from '../errors.js';
import type { PictureInput } from '../images/picture-input.js';
import { ownValue } from '../options/check.js';
import type { PictureChoices, ScoreManyOptions, ScoreOptions } from '../options/types.js';

export interface IgnoreChoice {
  /** a mask of the size of the whole picture: pixels where it is above 0 are ignored (docs/pictures.md) */
  ignore?: PictureInput;
}

/** What `score` takes. */
export interface ScoreCallOptions extends ScoreOptions, IgnoreChoice {}

/** What `scoreMany` takes. */
export interface ScoreManyCallOptions extends ScoreManyOptions, IgnoreChoice {}

/** An input with what is its own: a name for the results, prompts, a threshold, ... */
export interface PictureItem
  extends Pick<
      PictureChoices,
      | 'prompts'
      | 'className'
      | 'normals'
      | 'falseAlarmRate'
      | 'fit'
      | 'tileOverlap'
      | 'bitDepth'
      | 'valueRange'
      | 'threshold'
      | 'mapThreshold'
    >,
    Pick<ScoreOptions, 'roi'>,
    IgnoreChoice {
  input: PictureInput;
  name?: string;
  /** position to report; default: counted from 0 */
  index?: number;
}

export type StreamEntry = PictureInput | PictureItem;

const k_fields: Record<keyof PictureItem, true> = {
  input: true,
  name: true,
  index: true,
  prompts: true,
  className: true,
  normals: true,
  falseAlarmRate: true,
  fit: true,
  tileOverlap: true,
  bitDepth: true,
  valueRange: true,
  threshold: true,
  mapThreshold: true,
  roi: true,
  ignore: true,
};

/** @throws CraneError E_USAGE for a field that is not a picture's own, such as an option of the method */
export function checkOwnFields(item: object): void {
  const strange = Object.entries(item).find(
    ([name, value]) => value !== undefined && !Object.hasOwn(k_fields, name),
  );
  if (!strange) return;
  throw new CraneError('E_USAGE', `a picture of a source takes no "${strange[0]}"`, {
    hint: `its own may be ${Object.keys(k_fields).join(', ')}; the rest is given once, to scoreMany`,
  });
}

/** As it is now: a source may go on to fill the same object anew. */
export function toItem(entry: StreamEntry): PictureItem {
  const isItem = typeof entry === 'object' && entry !== null && 'input' in entry;
  if (!isItem) return { input: ownValue(entry as PictureInput) };
  const own: Record<string, unknown> = { ...entry };
  for (const name of Object.keys(k_fields) as (keyof PictureItem)[]) own[name] = ownValue(entry[name]);
  return own as unknown as PictureItem;
}
