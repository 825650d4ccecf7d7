/** A picture with its anomaly map laid over it, and the legend of the colours. One scale holds for a whole run. */
import type { NativeAddon, NativePicture } from '../addon/native.js';
import type { AnomalyMap } from './anomaly-map.js';
import { type Sharp, sharp } from './sharp.js';

export interface HeatMapStyle {
  /** map values of the first and the last colour */
  low: number;
  high: number;
  /** marked in the legend */
  mapThreshold: number | null;
  format: 'jpg' | 'png' | 'webp';
  /** default true */
  hasLegend?: boolean;
}

const k_legendHeight = 26;
const k_barHeight = 8;
const k_margin = 6;
const k_minLegendWidth = 120;
const k_maxLegendWidth = 640;

/** The file's bytes: the overlay in the picture's own pixels with a legend strip below. */
export async function heatMapFile(
  addon: NativeAddon,
  picture: NativePicture,
  map: Pick<AnomalyMap, 'data' | 'width' | 'height'>,
  style: HeatMapStyle,
): Promise<Buffer> {
  return drawnHeatMap(addon, await overlayPicture(addon, picture, map, style), picture, style);
}

/** As heatMapFile, of a picture with its map over it already. */
export async function drawnHeatMap(
  addon: NativeAddon,
  overlay: Sharp,
  { width, height }: { width: number; height: number },
  style: HeatMapStyle,
): Promise<Buffer> {
  if (style.hasLegend === false) return encoded(overlay, style);
  const strip = await legend(addon, Math.min(k_maxLegendWidth, Math.max(width, k_minLegendWidth)), style);
  const whole = overlay
    .extend({ bottom: k_legendHeight, right: Math.max(0, k_minLegendWidth - width), background: 'white' })
    .composite([{ input: strip, left: 0, top: height }]);
  return encoded(whole, style);
}

function encoded(whole: Sharp, { format }: HeatMapStyle): Promise<Buffer> {
  if (format === 'png') return whole.png().toBuffer();
  return (format === 'webp' ? whole.webp({ quality: 90 }) : whole.jpeg({ quality: 90 })).toBuffer();
}

export async function overlayPicture(
  addon: NativeAddon,
  picture: NativePicture,
  map: Pick<AnomalyMap, 'data' | 'width' | 'height'>,
  { low, high }: HeatMapStyle,
): Promise<Sharp> {
  return sharpOf(await addon.overlay(picture, map.data, map.width, map.height, low, high), picture);
}

/** @param rgb [height, width, 3] */
export function sharpOf(rgb: Uint8Array, { width, height }: { width: number; height: number }): Sharp {
  return sharp(rgb, { raw: { width, height, channels: 3 } });
}

/** The colour bar is an overlay itself, of a ramp on mid grey, so that its colours are the map's. */
export async function legend(
  addon: NativeAddon,
  width: number,
  { low, high, mapThreshold }: HeatMapStyle,
): Promise<Buffer> {
  const barWidth = width - 2 * k_margin;
  const grey: NativePicture = {
    data: new Uint8Array(barWidth * k_barHeight).fill(128),
    width: barWidth,
    height: k_barHeight,
    mode: 'L',
  };
  const step = (high - low) / Math.max(1, barWidth - 1);
  const ramp = Float32Array.from({ length: barWidth * k_barHeight }, (_, at) => low + step * (at % barWidth));
  const bar = await addon.overlay(grey, ramp, barWidth, k_barHeight, low, high);
  const marked = mapThreshold !== null && mapThreshold >= low && mapThreshold <= high;
  const markAt = marked ? k_margin + ((mapThreshold - low) / (high - low)) * (barWidth - 1) : 0;
  const digitsTop = k_barHeight + 6;
  const drawing = [
    digits(format(low), k_margin, digitsTop, 'start'),
    digits(format(high), width - k_margin, digitsTop, 'end'),
    marked ? `<path d="M${markAt} 1v${k_barHeight + 4}" stroke="black" stroke-width="1.5"/>` : '',
    marked && markAt > 50 && markAt < width - 50
      ? digits(format(mapThreshold), markAt, digitsTop, 'middle')
      : '',
  ];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${k_legendHeight}">${drawing.join('')}</svg>`;
  return sharp({ create: { width, height: k_legendHeight, channels: 3, background: 'white' } })
    .composite([
      {
        input: Buffer.from(bar.buffer, bar.byteOffset, bar.length),
        raw: { width: barWidth, height: k_barHeight, channels: 3 },
        left: k_margin,
        top: 3,
      },
      { input: Buffer.from(svg), left: 0, top: 0 },
    ])
    .png()
    .toBuffer();
}

function format(value: number): string {
  return value.toFixed(2);
}

/** Strokes of each sign in a box 4 wide and 8 high: a server may have no font. */
const strokes: Record<string, string> = {
  '0': 'M0 0h4v8h-4z',
  '1': 'M1 1l2 -1v8',
  '2': 'M0 0h4v4h-4v4h4',
  '3': 'M0 0h4v8h-4M1 4h3',
  '4': 'M0 0v4h4M4 0v8',
  '5': 'M4 0h-4v4h4v4h-4',
  '6': 'M4 0h-4v8h4v-4h-4',
  '7': 'M0 0h4l-2 8',
  '8': 'M0 0h4v8h-4zM0 4h4',
  '9': 'M4 4h-4v-4h4v8h-4',
  '.': 'M1 7.2v.8',
  '-': 'M0 4h4',
};

function digits(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): string {
  const advance = (sign: string) => (sign === '.' ? 4 : 7);
  const length = [...text].reduce((sum, sign) => sum + advance(sign), 0) - 3;
  let at = anchor === 'start' ? x : anchor === 'end' ? x - length : x - length / 2;
  const paths = [...text].map((sign) => {
    const path = `<path transform="translate(${at} ${y})" d="${strokes[sign] ?? ''}"/>`;
    at += advance(sign);
    return path;
  });
  return `<g fill="none" stroke="black" stroke-width="1.2">${paths.join('')}</g>`;
}
