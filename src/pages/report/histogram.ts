/** Scores of normal pictures below the line, of anomalous ones above it, each as a share of its own number. */
import { scaleLinear } from 'd3-scale';
import { area, curveStepAfter } from 'd3-shape';
import { Html, html } from '../html.js';
import { round } from './chart.js';
import type { ClassScores } from './score-groups.js';

const k_bins = 40;
export const k_histogram = { width: 960, height: 270, left: 52, right: 16, top: 22, bottom: 44 };

interface Bins {
  /** share of the label's pictures in each bin */
  normal: number[];
  anomalous: number[];
}

export function histogramOf(classes: readonly ClassScores[], low: number, high: number): Bins {
  const shares = (lists: number[][]) => {
    const counts = new Array<number>(k_bins).fill(0);
    let all = 0;
    for (const list of lists)
      for (const score of list) {
        const at = high > low ? Math.floor(((score - low) / (high - low)) * k_bins) : 0;
        counts[Math.max(0, Math.min(k_bins - 1, at))]!++;
        all++;
      }
    return counts.map((number) => (all === 0 ? 0 : number / all));
  };
  return {
    normal: shares(classes.map(({ normal }) => normal)),
    anomalous: shares(classes.map(({ anomalous }) => anomalous)),
  };
}

export interface HistogramChart {
  label: string;
  classes: readonly ClassScores[];
  /** ends of the score axis, equal for all charts of a page */
  low: number;
  high: number;
  group: number;
  isShown: boolean;
  threshold: number;
}

export function histogramChart({
  label,
  classes,
  low,
  high,
  group,
  isShown,
  threshold,
}: HistogramChart): Html {
  const { width, height, left, right, top, bottom } = k_histogram;
  const { normal, anomalous } = histogramOf(classes, low, high);
  const most = Math.max(0.01, ...normal, ...anomalous);
  const x = scaleLinear([low, high], [left, width - right]);
  const y = scaleLinear([-most, most], [height - bottom, top]);
  const ticks = scaleLinear([0, most], [0, 1])
    .ticks(2)
    .filter((tick) => tick > 0);
  const bars = (shares: readonly number[], sign: 1 | -1) => {
    const edges = [...shares, shares.at(-1)!].map(
      (share, at) => [low + ((high - low) * at) / k_bins, sign * share] as const,
    );
    return new Html(
      area<readonly [number, number]>()
        .x(([edge]) => x(edge))
        .y0(y(0))
        .y1(([, share]) => y(share))
        .curve(curveStepAfter)
        .digits(1)(edges) ?? '',
    );
  };
  const [floor, middle] = [height - bottom, round(y(0))];
  const mark = round(x(Math.min(high, Math.max(low, threshold))));
  const format = x.tickFormat(8);
  return html`<svg class="histogram" viewBox="0 0 ${width} ${height}" role="img" data-group="${group}" data-left="${left}" data-right="${width - right}"${!isShown && html` hidden`} aria-label="Histogram of the scores of ${label}: anomalous pictures above the line, normal ones below">
<rect class="called" x="${mark}" y="${top}" width="${round(width - right - mark)}" height="${floor - top}"/>
${ticks.map((tick) => html`<path class="grid" d="M${left},${round(y(tick))}H${width - right}M${left},${round(y(-tick))}H${width - right}"/><text x="${left - 6}" y="${round(y(tick))}" dy=".32em" text-anchor="end">${round(100 * tick)} %</text><text x="${left - 6}" y="${round(y(-tick))}" dy=".32em" text-anchor="end">${round(100 * tick)} %</text>`)}
<path class="bars anomalous" d="${bars(anomalous, 1)}"/><path class="bars normal" d="${bars(normal, -1)}"/>
<path class="axis" d="M${left},${middle}H${width - right}"/>
${x.ticks(8).map((tick) => html`<text x="${round(x(tick))}" y="${floor + 16}" text-anchor="middle">${format(tick)}</text>`)}
<text class="name" x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">score</text>
<text class="side anomalous" x="${left + 8}" y="${top + 12}">anomalous pictures</text><text class="side normal" x="${width - right - 8}" y="${floor - 8}" text-anchor="end">normal pictures</text>
<path class="mark" d="M0,${top - 8}V${floor + 4}" transform="translate(${mark} 0)"/>
</svg>`;
}
