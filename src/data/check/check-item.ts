/** Decodes one picture and its mask completely and says what is wrong with them. */
import { type DecodedPicture, decodePicture } from '../../images/decode.js';
import { toPictureSource } from '../../images/picture-input.js';
import type { Reading } from '../../images/reading.js';
import type { DataItem } from '../data-set.js';
import { checkMask, reasonOf } from './check-mask.js';
import { type Finding, finding } from './finding.js';

export interface DecodeLimits {
  maxPixels: number;
  reading: Reading;
  /** see DecodeOptions */
  reserve(bytes: number): Promise<void>;
}

export async function checkItem(item: DataItem, limits: DecodeLimits): Promise<Finding[]> {
  const { className } = item;
  const found: Finding[] = [];
  let size: DecodedPicture | undefined;
  try {
    size = await decodePicture(toPictureSource(item.image), limits);
    for (const { message } of size.notes)
      found.push(finding('odd-picture', [item.imagePath], { className, detail: message }));
  } catch (thrown) {
    found.push(
      finding('damaged-picture', [item.imagePath], { className, detail: reasonOf(thrown, item.image) }),
    );
  }
  return [...found, ...(await checkMask(item, size, limits))];
}
