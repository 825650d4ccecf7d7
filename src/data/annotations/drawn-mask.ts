/** Rows from top to bottom, 255 where a shape is. */
export interface DrawnMask {
  data: Uint8Array;
  width: number;
  height: number;
}
