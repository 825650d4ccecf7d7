/** Line charts of losses as inline SVG: no script, no request, readable in light and dark and in print. */
import { scaleLinear } from 'd3-scale';
import { escapeHtml } from '../html.js';

export interface Line {
  label: string;
  /** of CSS, one of the page's classes */
  className: string;
  points: readonly { x: number; y: number; title?: string }[];
  /** draw a dot at each point */
  dots: boolean;
}

export interface Chart {
  title: string;
  xLabel: string;
  lines: readonly Line[];
  /** x of vertical marks, for instance the ends of epochs */
  marks?: readonly number[];
}

const k_width = 640;
const k_height = 300;
const k_margin = { left: 56, right: 14, top: 14, bottom: 40 };
/** More points than pixels cannot be seen; their means can. */
const k_mostPoints = 600;

export function chartSvg({ title, xLabel, lines, marks = [] }: Chart): string {
  const points = lines.flatMap((line) => line.points).filter(({ y }) => Number.isFinite(y));
  const xs = range(points.map(({ x }) => x));
  const highest = range([0, ...points.map(({ y }) => y)]);
  const x = scaleLinear([xs.low, xs.high], [k_margin.left, k_width - k_margin.right]);
  const y = scaleLinear([highest.low, highest.high], [k_height - k_margin.bottom, k_margin.top]).nice(5);
  const xAt = (value: number) => rounded(x(value));
  const yAt = (value: number) => rounded(y(value));
  const [yLow] = y.domain();

  const grid = y
    .ticks(5)
    .map(
      (tick) =>
        `<line class="grid" x1="${k_margin.left}" x2="${k_width - k_margin.right}" y1="${yAt(tick)}" y2="${yAt(tick)}"/><text class="tick" x="${k_margin.left - 6}" y="${yAt(tick)}" dy=".32em" text-anchor="end">${shortNumber(tick)}</text>`,
    )
    .join('');
  const below = x
    .ticks(8)
    .filter(Number.isInteger)
    .map(
      (tick) =>
        `<text class="tick" x="${xAt(tick)}" y="${k_height - k_margin.bottom + 16}" text-anchor="middle">${tick}</text>`,
    )
    .join('');
  const ends = marks
    .map(
      (mark) =>
        `<line class="mark" x1="${xAt(mark)}" x2="${xAt(mark)}" y1="${k_margin.top}" y2="${k_height - k_margin.bottom}"/>`,
    )
    .join('');
  const drawn = lines.map((line) => drawLine(line, xAt, yAt)).join('');
  return `<svg viewBox="0 0 ${k_width} ${k_height}" role="img" aria-label="${escapeHtml(title)}">${grid}${ends}<line class="axis" x1="${k_margin.left}" x2="${k_width - k_margin.right}" y1="${yAt(yLow!)}" y2="${yAt(yLow!)}"/>${below}<text class="tick" x="${(k_margin.left + k_width - k_margin.right) / 2}" y="${k_height - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text>${drawn}</svg>`;
}

function drawLine(
  { className, points, dots }: Line,
  xAt: (x: number) => number,
  yAt: (y: number) => number,
): string {
  const shown = dots ? points.filter(({ y }) => Number.isFinite(y)) : thinned(points);
  const path = shown.map(({ x, y }) => `${xAt(x)},${yAt(y)}`).join(' ');
  const circles = dots
    ? shown
        .map(
          ({ x, y, title }) =>
            `<circle class="${className}" cx="${xAt(x)}" cy="${yAt(y)}" r="3.5">${title ? `<title>${escapeHtml(title)}</title>` : ''}</circle>`,
        )
        .join('')
    : '';
  return `<polyline class="${className}" points="${path}"/>${circles}`;
}

function thinned(points: Line['points']): Line['points'] {
  const finite = points.filter(({ y }) => Number.isFinite(y));
  const each = Math.ceil(finite.length / k_mostPoints);
  if (each <= 1) return [...finite];
  return Array.from({ length: Math.ceil(finite.length / each) }, (_, at) => {
    const group = finite.slice(at * each, (at + 1) * each);
    const mean = (of: (point: Line['points'][number]) => number) =>
      group.reduce((sum, point) => sum + of(point), 0) / group.length;
    return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
  });
}

interface Range {
  low: number;
  high: number;
}

function range(values: readonly number[]): Range {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(low)) return { low: 0, high: 1 };
  return high > low ? { low, high } : { low, high: low + 1 };
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}

function shortNumber(value: number): string {
  return Number(value.toPrecision(4)).toString();
}
