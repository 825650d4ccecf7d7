/** YCbCr that is stored without JPEG (TIFF 6.0, section 21): units of several Y with one Cb and one Cr. */
import { inSlices } from '../in-slices.js';

interface Units {
  /** of red, green and blue in Y */
  luma: readonly number[];
  /** code of black and of white for Y, of 0 and of the end for Cb and for Cr */
  blackWhite: readonly number[];
  /** pixels for which a Cb and a Cr stand */
  across: number;
  down: number;
  unitsAcross: number;
  place: { x: number; y: number; rows: number };
  /** of the picture */
  width: number;
  height: number;
}

/** @param rgb of the picture, [height, width, 3]; of the strip or tile, what lies inside it is written */
export async function unpackYcbcr(bytes: Uint8Array, rgb: Uint8Array, units: Units): Promise<void> {
  const { luma, blackWhite, across, down, unitsAcross, place, width, height } = units;
  const [red = 0.299, green = 0.587, blue = 0.114] = luma;
  const [blackY = 0, whiteY = 255, zeroCb = 128, mostCb = 255, zeroCr = 128, mostCr = 255] = blackWhite;
  const scaleY = 255 / (whiteY - blackY);
  const scaleCb = 127 / (mostCb - zeroCb);
  const scaleCr = 127 / (mostCr - zeroCr);
  const unitBytes = across * down + 2;
  await inSlices(
    Math.ceil(place.rows / down),
    (from, to) => {
      for (let unitY = from; unitY < to; unitY++) {
        for (let unitX = 0; unitX < unitsAcross; unitX++) {
          const at = (unitY * unitsAcross + unitX) * unitBytes;
          const cb = (bytes[at + across * down]! - zeroCb) * scaleCb;
          const cr = (bytes[at + across * down + 1]! - zeroCr) * scaleCr;
          for (let n = 0; n < across * down; n++) {
            const x = place.x + unitX * across + (n % across);
            const y = place.y + unitY * down + Math.floor(n / across);
            if (x >= width || y >= height) continue;
            const value = (bytes[at + n]! - blackY) * scaleY;
            const r = value + cr * (2 - 2 * red);
            const b = value + cb * (2 - 2 * blue);
            const to3 = (y * width + x) * 3;
            rgb[to3] = clip(r);
            rgb[to3 + 1] = clip((value - blue * b - red * r) / green);
            rgb[to3 + 2] = clip(b);
          }
        }
      }
    },
    Math.max(1, Math.floor(20_000 / (unitsAcross * across * down))),
  );
}

function clip(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
}
