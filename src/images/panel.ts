/** One picture as the paper's figures show it: the picture, its ground truth, its map, and the map over the picture. */
import type { NativeAddon, NativePicture } from '../addon/native.js';
import type { AnomalyMap } from './anomaly-map.js';
import { legend, overlayPicture } from './heat-map.js';
import { maskOutline } from './mask-outline.js';
import { sharp } from './sharp.js';

/** 'normal': every pixel is; 'unknown': nobody drew it. */
export type PanelMask = NativePicture | 'normal' | 'unknown';

export interface PanelStyle {
  /** map values of the first and the last colour, the same for all panels */
  low: number;
  high: number;
  /** marked in the legend */
  mapThreshold: number | null;
}

/** Of each of the four, in pixels. */
const k_longestSide = 320;
const k_gap = 6;
const k_legendHeight = 26;
/** Under the map alone, the grey that the legend lies on. */
const k_grey = 128;
const k_black = 0;

/** @returns PNG: four fields of one size side by side, the legend of the colours below the last two */
export async function panelFile(
  addon: NativeAddon,
  picture: NativePicture,
  mask: PanelMask,
  map: AnomalyMap,
  style: PanelStyle,
): Promise<Buffer> {
  const shrink = Math.min(1, k_longestSide / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * shrink));
  const height = Math.max(1, Math.round(picture.height * shrink));
  const small: NativePicture = {
    data: await addon.resizePicture(picture, width, height),
    width,
    height,
    mode: 'RGB',
  };
  const colours = { ...style, format: 'png' as const };
  const over = await overlayPicture(addon, small, map, colours);
  const outline = typeof mask === 'object' ? await maskOutline(addon, mask, width, height) : undefined;
  const fields = [
    await sharp(small.data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
    await truth(addon, mask, width, height),
    await (await overlayPicture(addon, plain(width, height, k_grey), map, colours)).png().toBuffer(),
    await (outline ? over.composite([{ input: outline }]) : over).png().toBuffer(),
  ];
  const left = (at: number) => at * (width + k_gap);
  const whole = left(fields.length) - k_gap;
  // The legend has digits: below narrow pictures it takes the whole width.
  const legendWidth = Math.min(whole, Math.max(2 * width + k_gap, 240));
  const strip = await legend(addon, legendWidth, colours);
  return sharp({
    create: { width: whole, height: height + k_legendHeight, channels: 3, background: 'white' },
  })
    .composite([
      ...fields.map((input, at) => ({ input, left: left(at), top: 0 })),
      { input: strip, left: whole - legendWidth, top: height },
    ])
    .removeAlpha()
    .png()
    .toBuffer();
}

function plain(width: number, height: number, value: number): NativePicture {
  return { data: new Uint8Array(width * height).fill(value), width, height, mode: 'L' };
}

/** White is anomalous, as masks are drawn; where nobody drew one a dash on grey says so. */
async function truth(addon: NativeAddon, mask: PanelMask, width: number, height: number): Promise<Buffer> {
  if (typeof mask === 'object') {
    const inside = await addon.resizeMask(mask, width, height);
    return sharp(inside, { raw: { width, height, channels: 1 } })
      .linear(255, 0)
      .toColourspace('b-w')
      .png()
      .toBuffer();
  }
  const { data } = plain(width, height, mask === 'normal' ? k_black : k_grey);
  const field = sharp(data, { raw: { width, height, channels: 1 } });
  if (mask === 'normal') return field.png().toBuffer();
  const dash = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><path d="M${width * 0.4} ${height / 2}h${width * 0.2}" stroke="white" stroke-width="3"/></svg>`;
  return field
    .toColourspace('srgb')
    .composite([{ input: Buffer.from(dash), left: 0, top: 0 }])
    .png()
    .toBuffer();
}
