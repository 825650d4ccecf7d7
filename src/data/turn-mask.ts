/** Turns a mask as an EXIF orientation says. Only 5 to 8 change the size, so only those ever need it. */
import { inSlices, rowsOfSlice } from '../images/in-slices.js';

interface Grey {
  data: Uint8Array;
  width: number;
  height: number;
}

/** @param orientation 5 to 8 of EXIF; [height, width] becomes [width, height] */
export async function turnMask({ data, width, height }: Grey, orientation: number): Promise<Grey> {
  const turned = new Uint8Array(data.length);
  const fromRight = orientation === 7 || orientation === 8;
  const fromBelow = orientation === 6 || orientation === 7;
  // Row y of the result is a column of the source; 5 is the plain transposition.
  const turnRows = (from: number, to: number) => {
    let at = from * height;
    for (let y = from; y < to; y++) {
      const column = fromRight ? width - 1 - y : y;
      for (let x = 0; x < height; x++) {
        const row = fromBelow ? height - 1 - x : x;
        turned[at++] = data[row * width + column]!;
      }
    }
  };
  await inSlices(width, turnRows, rowsOfSlice(height));
  return { data: turned, width: height, height: width };
}
