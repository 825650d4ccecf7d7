/** Pictures and what is found in them, as they cross the border to the engine addon. */

/**
 * How Pillow would have opened the picture; decides how it is resized (method.md 2).
 * 'P' is a palette picture already expanded to RGB: nearest neighbour. 'RGBA' is resized premultiplied, then
 * alpha is dropped; 'LA' likewise. 'I;16' is 16-bit grey: resized in floating point, then clipped at 255.
 */
export type PictureMode = 'L' | 'LA' | 'RGB' | 'RGBA' | 'P' | 'I;16';

/** A decoded picture: interleaved rows, top to bottom, no padding. */
export interface NativePicture {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
  mode: PictureMode;
}

export type Fit = 'stretch' | 'pad' | 'tile';

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
  area: number;
  peak: number;
  mean: number;
}
