/** Which tags of a TIFF hold whole numbers, and that they do. */
import { damaged, type TiffDirectory } from './directory.js';
import { tags } from './tags.js';

/** What these state may be any number: what it is used for looks at it. */
const k_anyNumbers: ReadonlySet<number> = new Set([
  tags.leastSample,
  tags.mostSample,
  tags.lumaCoefficients,
  tags.blackWhite,
]);

/**
 * Sizes, counts, places and kinds: a fraction, or none of the numbers (0/0), would pass comparisons that are written for whole ones.
 * @throws CraneError E_IMAGE_DECODE without the file's name
 */
export function checkWhole(directory: TiffDirectory): void {
  for (const [name, tag] of Object.entries(tags)) {
    if (k_anyNumbers.has(tag)) continue;
    for (const number of directory.get(tag) ?? [])
      if (!(Number.isSafeInteger(number) && number >= 0))
        throw damaged(
          `its tag ${tag} (${name}) holds no whole numbers${Number.isNaN(number) ? '' : `: ${number}`}`,
        );
  }
}
