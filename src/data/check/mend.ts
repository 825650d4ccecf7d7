/** What mends each thing that `data check` finds: a command where there is one. */
import { shellPath } from '../../terminal/shell-word.js';
import { madeOnWindows } from '../place-entries.js';
import type { Finding, FindingName } from './finding.js';

const again = (root: string) => `npx crane-native data index ${shellPath(root)} --force`;

const k_mends = {
  'missing-picture': (root) => `put them back, or make a new index: ${again(root)}`,
  'missing-mask': (root) => `put them back, or make a new index: ${again(root)}`,
  'outside-root': (root) =>
    `where links lead there and you trust them: npx crane-native data check ${shellPath(root)} --follow-links; else put the files below the root: ${again(root)}`,
  'damaged-picture': (root) => `copy them once more from where they came, or take them away: ${again(root)}`,
  'damaged-mask': (root) => `save them once more as PNG, or take them away: ${again(root)}`,
  'mask-size': () =>
    'save the mask in the size of its picture, without smoothing (ImageMagick: -filter point -resize)',
  'same-picture-both-labels': (root) => `look at the picture and take one of the two away: ${again(root)}`,
  'unused-ground-truth': (root) =>
    `call them NAME_mask after their picture NAME, or put the picture there: ${again(root)}`,
  'odd-picture': () => 'look at them; scores follow what they seem to be',
  'same-picture': (root) => `take the copies away, above all between train and test: ${again(root)}`,
  'empty-mask': (root) => `draw what is anomalous, or put the picture among the normal ones: ${again(root)}`,
  'full-mask': () =>
    'turn the mask round if it is inverted (ImageMagick: -negate); the background has to be 0',
  'large-mask': () => 'look whether it is meant: skin and colon pictures have such masks',
  'mask-orientation': () =>
    'look whether the mask is drawn on the turned picture, as it is used; else save the picture turned, without the EXIF tag',
  'lossy-mask': () => 'save masks as PNG from where they were drawn: what JPEG lost cannot be won back',
  'turned-mask': () => 'nothing where true was anomalous; else save them as 8-bit PNG, 255 where anomalous',
  'mask-on-normal': (root) =>
    `put the picture among the anomalous ones, or take the mask away: ${again(root)}`,
  'left-out': (root) =>
    `convert, move or rename them, then: ${again(root)}; links: --follow-links; other layouts: npx crane-native data list`,
  'paper-counts': () => 'compare with the download page of the data set: files may be missing or come twice',
  reading: (root) => `after mending: ${again(root)}`,
} as const satisfies Record<FindingName, (root: string) => string>;

export function mendOf({ kind, detail }: Pick<Finding, 'kind' | 'detail'>, root: string): string {
  // Files of an index with the paths of another system are all there.
  if (detail === madeOnWindows) return `make a new index: ${again(root)}`;
  const depth = kind === 'odd-picture' ? /--bit-depth (\d+)/.exec(detail ?? '')?.[1] : undefined;
  if (depth !== undefined)
    return `if the camera gives ${depth} bits, say so to score, train, test and calibrate too: npx crane-native data check ${shellPath(root)} --bit-depth ${depth}`;
  return k_mends[kind](root);
}
