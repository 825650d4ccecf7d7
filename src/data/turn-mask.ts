/** Turns a mask as an EXIF orientation says. Only 5 to 8 change the size, so only those ever need it. */

interface Grey {
  data: Uint8Array;
  width: number;
  height: number;
}

/** @param orientation 5 to 8 of EXIF; [height, width] becomes [width, height] */
export function turnMask({ data, width, height }: Grey, orientation: number): Grey {
  const turned = new Uint8Array(data.length);
  const fromRight = orientation === 7 || orientation === 8;
  const fromBelow = orientation === 6 || orientation === 7;
  let at = 0;
  // Row y of the result is a column of the source; 5 is the plain transposition.
  for (let y = 0; y < width; y++) {
    const column = fromRight ? width - 1 - y : y;
    for (let x = 0; x < height; x++) {
      const row = fromBelow ? height - 1 - x : x;
      turned[at++] = data[row * width + column]!;
    }
  }
  return { data: turned, width: height, height: width };
}
