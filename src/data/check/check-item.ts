/** Decodes one picture and its mask completely and says what is wrong with them. */
import { type CraneError, toCraneError } from '../../errors.js';
import { type DecodedPicture, decodePicture } from '../../images/decode.js';
import { isLossyFile } from '../../images/lossy.js';
import { pictureFindings } from '../../images/picture-findings.js';
import { toPictureSource } from '../../images/picture-input.js';
import type { Reading } from '../../images/reading.js';
import type { DataItem } from '../data-set.js';
import { labelMask, type MaskOptions, markedShare, maskOfPicture, toGrey } from '../label-mask.js';
import { pictureSizes } from '../picture-sizes.js';
import { type Finding, finding } from './finding.js';

const k_half = 0.5;
const k_nearlyAll = 0.95;

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
    for (const { message } of [...size.notes, ...pictureFindings(size)])
      found.push(finding('odd-picture', [item.imagePath], { className, detail: message }));
  } catch (thrown) {
    found.push(
      finding('damaged-picture', [item.imagePath], { className, detail: reasonOf(thrown, item.image) }),
    );
  }
  const { maskPaths } = item;
  const [mask0] = item.masks;
  if (mask0 === undefined) return found;
  const options: MaskOptions = {
    ...limits,
    onNote: ({ message }, path) => {
      const at = item.masks.indexOf(path);
      found.push(finding('turned-mask', [maskPaths[at]!], { className, detail: message }));
    },
  };
  try {
    // Beside a damaged picture the mask is still worth a look, but its size tells nothing.
    const mask =
      size === undefined
        ? await labelMask(mask0, options)
        : await toGrey(
            await maskOfPicture(
              item.masks,
              { path: item.image, width: size.width, height: size.height },
              options,
            ),
          );
    const share = await markedShare(mask);
    const isEmpty = share === 0;
    if (isEmpty && item.isAnomalous) found.push(finding('empty-mask', maskPaths, { className }));
    if (share > k_half) {
      const kind = share > k_nearlyAll ? 'full-mask' : 'large-mask';
      found.push(finding(kind, maskPaths, { className, detail: `${(100 * share).toFixed(1)} % are marked` }));
    }
    if (!isEmpty && (await fitsBothWays(item.image)))
      found.push(finding('mask-orientation', [item.imagePath, ...maskPaths], { className }));
    for (const [at, path] of item.masks.entries())
      if (await isLossyFile(path)) found.push(finding('lossy-mask', [maskPaths[at]!], { className }));
    if (!isEmpty && !item.isAnomalous)
      found.push(finding('mask-on-normal', [item.imagePath, ...maskPaths], { className }));
  } catch (thrown) {
    const error = toCraneError(thrown);
    const kind = error.code === 'E_DATA_MASK_SIZE' ? 'mask-size' : 'damaged-mask';
    found.push(finding(kind, maskPaths, { className, detail: reasonOf(error, mask0) }));
  }
  return found;
}

/** Whether EXIF turns a picture so that its size does not tell on which of the two a mask was drawn. */
async function fitsBothWays(image: string): Promise<boolean> {
  const sizes = await pictureSizes(image).catch(() => undefined);
  if (sizes === undefined || sizes.orientation <= 1) return false;
  return sizes.orientation < 5 || sizes.stored.width === sizes.stored.height;
}

/** The message without the path, which the finding names already. @throws whatever is no fault of the file */
function reasonOf(thrown: unknown, path: string): string {
  const error: CraneError = toCraneError(thrown);
  if (!/^E_(IMAGE|INPUT|DATA|IO_READ)/.test(error.code)) throw error;
  const prefix = `${path}: `;
  const reason = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
  return `${reason} [${error.code}]`;
}
