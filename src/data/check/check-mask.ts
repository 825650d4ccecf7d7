/** Decodes the masks of one picture and says what is wrong with them: for `data check`, and before anything is learned or tested. */
import { type CraneError, toCraneError } from '../../errors.js';
import { isLossyFile } from '../../images/lossy.js';
import type { Size } from '../../options/types.js';
import type { DataItem } from '../data-set.js';
import { labelMask, type MaskOptions, markedShare, maskOfPicture, toGrey } from '../label-mask.js';
import { pictureSizes } from '../picture-sizes.js';
import { type Finding, finding } from './finding.js';

const k_half = 0.5;
const k_nearlyAll = 0.95;

/**
 * @param size of the picture as it is used; undefined: it is damaged, and the size of a mask beside it tells nothing
 * @throws CraneError that are no fault of a file
 */
export async function checkMask(
  item: DataItem,
  size: Size | undefined,
  limits: MaskOptions,
): Promise<Finding[]> {
  const { className, maskPaths } = item;
  const found: Finding[] = [];
  const options: MaskOptions = {
    ...limits,
    onNote: ({ message }, path) => {
      const at = item.masks.indexOf(path);
      found.push(finding('turned-mask', [maskPaths[at]!], { className, detail: message }));
    },
  };
  const [mask0] = item.masks;
  if (mask0 === undefined) return found;
  try {
    const mask =
      size === undefined
        ? await labelMask(mask0, options, item.maskValues)
        : await toGrey(
            await maskOfPicture(item, { path: item.image, width: size.width, height: size.height }, options),
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
export function reasonOf(thrown: unknown, path: string): string {
  const error: CraneError = toCraneError(thrown);
  if (!/^E_(IMAGE|INPUT|DATA|IO_READ)/.test(error.code)) throw error;
  const prefix = `${path}: `;
  const reason = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
  return `${reason} [${error.code}]`;
}
