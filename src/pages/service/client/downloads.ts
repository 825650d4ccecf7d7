/** Results as files, made in the browser. */

import { nameOf, type Thresholds, thresholdFor } from './choice.js';
import { heatCanvas, hottestOf } from './heat.js';
import type { Item } from './session.js';

export function verdict(score: number, threshold: number): 'anomalous' | 'normal' {
  return score >= threshold ? 'anomalous' : 'normal';
}

function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function saveJson(items: readonly Item[], thresholds: Thresholds): void {
  const lines = items.map((item) => {
    const { name, result, error, by } = item;
    if (!result) return { input: name, error: error ?? 'not scored' };
    const threshold = thresholdFor(item, thresholds);
    const anomalous = result.score >= threshold;
    return { ...result, input: name, threshold, anomalous, comparedWith: by && nameOf(by) };
  });
  save('results.json', new Blob([JSON.stringify(lines, null, 2)], { type: 'application/json' }));
}

/** A spreadsheet takes what begins so for a formula. */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(items: readonly Item[], thresholds: Thresholds): string {
  const rows = items.map((item) => {
    const { name, result, error, by } = item;
    if (!result) return [name, '', '', '', '', '', '', error ?? 'not scored'];
    const threshold = thresholdFor(item, thresholds);
    const is = verdict(result.score, threshold);
    const compared = by ? nameOf(by) : '';
    return [name, result.score, threshold, is, result.regions?.length ?? '', result.model, compared, ''];
  });
  const head = ['input', 'score', 'threshold', 'verdict', 'regions', 'model', 'compared with', 'error'];
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

export function saveCsv(items: readonly Item[], thresholds: Thresholds): void {
  save('results.csv', new Blob([csvOf(items, thresholds)], { type: 'text/csv' }));
}

/** The pictures with their maps over them, one file each, in the picture's own pixels. */
export async function saveOverlays(items: readonly Item[], opacity: number): Promise<void> {
  for (const item of items) {
    const { name, url, map, result } = item;
    if (!map || !result) continue;
    const picture = new Image();
    picture.src = url;
    // Formats that the browser does not show have no overlay here.
    if (
      !(await picture.decode().then(
        () => true,
        () => false,
      ))
    )
      continue;
    const canvas = document.createElement('canvas');
    canvas.width = result.width;
    canvas.height = result.height;
    const context = canvas.getContext('2d')!;
    context.drawImage(picture, 0, 0, result.width, result.height);
    context.globalAlpha = opacity;
    context.drawImage(heatCanvas(map, hottestOf(item)), 0, 0, result.width, result.height);
    const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (file) save(`${name.replace(/\.[^.]*$/, '')}.heat.png`, file);
  }
}
