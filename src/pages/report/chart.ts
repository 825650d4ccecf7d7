/** Line charts as inline SVG: readable without script, sharp in print. Scales and paths by d3-scale and d3-shape. */
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { curveLinear, curveStepBefore, line } from 'd3-shape';
import { Html, html } from '../html.js';
import type { Point, Series } from './series.js';

export interface LineChart {
  title: string;
  xLabel: string;
  yLabel: string;
  /** of the axis; y always runs from 0 to 1 */
  xMax: number;
  series: readonly Series[];
  /** the line of a score that knows nothing */
  chance?: readonly [Point, Point];
  /** vertical marks on x with a name */
  marks?: readonly { x: number; label: string }[];
  /** names the dot that follows the threshold */
  dot?: string;
}

export const k_size = { width: 340, height: 290, left: 46, right: 12, top: 12, bottom: 42 };
/** Ends of a line are drawn to a tenth of a unit: points that far from the line between their neighbours add nothing. */
const k_tolerance = 0.12;

export function lineChart(chart: LineChart): Html {
  const { width, height, left, right, top, bottom } = k_size;
  const x = scaleLinear([0, chart.xMax], [left, width - right]);
  const y = scaleLinear([0, 1], [height - bottom, top]);
  const path = (series: Series) =>
    new Html(
      line<Point>()
        .x((point) => point.x)
        .y((point) => point.y)
        .curve(series.isStep ? curveStepBefore : curveLinear)
        .digits(1)(simplified(placed(series.points, x, y))) ?? '',
    );
  const { chance, marks = [] } = chart;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${chart.title}: ${chart.yLabel} against ${chart.xLabel}, ${chart.series.length} lines; the table below has the values" data-left="${left}" data-right="${width - right}" data-top="${top}" data-bottom="${height - bottom}">
${axes(x, y, chart.xLabel, chart.yLabel)}
${chance && html`<path class="chance" d="M${x(chance[0].x)},${y(chance[0].y)}L${x(chance[1].x)},${y(chance[1].y)}"/>`}
${marks.map((mark) => html`<path class="limit" d="M${round(x(mark.x))},${top}V${height - bottom}"/><text class="limit" x="${round(x(mark.x)) - 4}" y="${height - bottom - 6}" text-anchor="end">${mark.label}</text>`)}
${chart.series.map((series) => html`<path class="line ${series.look}" data-look="${series.look}" d="${path(series)}"><title>${series.label}</title></path>`)}
${chart.dot && html`<circle class="dot" data-dot="${chart.dot}" r="5" cx="-20" cy="-20"/>`}
</svg>`;
}

function axes(
  x: ScaleLinear<number, number>,
  y: ScaleLinear<number, number>,
  xLabel: string,
  yLabel: string,
): Html {
  const { width, height, left, right, top, bottom } = k_size;
  const floor = height - bottom;
  const middle = (left + width - right) / 2;
  const across = (top + floor) / 2;
  const xFormat = x.tickFormat(5);
  const yFormat = y.tickFormat(5);
  return html`${y.ticks(5).map((tick) => html`<path class="grid" d="M${left},${round(y(tick))}H${width - right}"/><text x="${left - 6}" y="${round(y(tick))}" dy=".32em" text-anchor="end">${yFormat(tick)}</text>`)}${x.ticks(5).map((tick) => html`<path class="grid" d="M${round(x(tick))},${top}V${floor}"/><text x="${round(x(tick))}" y="${floor + 16}" text-anchor="middle">${xFormat(tick)}</text>`)}<path class="axis" d="M${left},${top}V${floor}H${width - right}"/><text class="name" x="${middle}" y="${height - 8}" text-anchor="middle">${xLabel}</text><text class="name" transform="rotate(-90 12 ${across})" x="12" y="${across}" text-anchor="middle">${yLabel}</text>`;
}

function placed(
  points: readonly Point[],
  x: ScaleLinear<number, number>,
  y: ScaleLinear<number, number>,
): Point[] {
  const [, xMax] = x.domain();
  const inside = points.filter((point) => point.x <= xMax!);
  const beyond = points[inside.length];
  const last = inside.at(-1);
  if (beyond && last && last.x < xMax!) {
    const share = (xMax! - last.x) / (beyond.x - last.x);
    inside.push({ x: xMax!, y: last.y + share * (beyond.y - last.y) });
  }
  return inside.map((point) => ({ x: x(point.x), y: y(point.y) }));
}

/** Leaves out points that lie on the way from the last one kept to the next. */
export function simplified(points: readonly Point[]): Point[] {
  if (points.length < 3) return [...points];
  const kept = [points[0]!];
  let start = 0;
  for (let end = 2; end < points.length; end++) {
    if (isStraight(points, start, end)) continue;
    start = end - 1;
    kept.push(points[start]!);
  }
  kept.push(points.at(-1)!);
  return kept;
}

function isStraight(points: readonly Point[], start: number, end: number): boolean {
  const from = points[start]!;
  const to = points[end]!;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  // a long run is cut now and then, so that checking it stays cheap
  if (end - start > 64) return false;
  for (let at = start + 1; at < end; at++) {
    const [px, py] = [points[at]!.x - from.x, points[at]!.y - from.y];
    const away = length === 0 ? Math.hypot(px, py) : Math.abs(px * dy - py * dx) / length;
    const along = px * dx + py * dy;
    if (away > k_tolerance || along < -k_tolerance || along > length * length + k_tolerance) return false;
  }
  return true;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
