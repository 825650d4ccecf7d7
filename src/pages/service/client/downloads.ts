/** Results as files, made in the browser. */
import { heatCanvas } from './heat.js';
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

export function saveJson(items: readonly Item[], threshold: number): void {
  const lines = items.map(({ name, result, error }) =>
    result
      ? { ...result, input: name, threshold, anomalous: result.score >= threshold }
      : { input: name, error: error ?? 'not scored' },
  );
  save('results.json', new Blob([JSON.stringify(lines, null, 2)], { type: 'application/json' }));
}

/** A spreadsheet takes what begins so for a formula. */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(items: readonly Item[], threshold: number): string {
  const rows = items.map(({ name, result, error }) =>
    result
      ? [
          name,
          result.score,
          threshold,
          verdict(result.score, threshold),
          result.regions?.length ?? '',
          result.model,
          '',
        ]
      : [name, '', threshold, '', '', '', error ?? 'not scored'],
  );
  const head = ['input', 'score', 'threshold', 'verdict', 'regions', 'model', 'error'];
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

export function saveCsv(items: readonly Item[], threshold: number): void {
  save('results.csv', new Blob([csvOf(items, threshold)], { type: 'text/csv' }));
}

/** The pictures with their maps over them, one file each, in the picture's own pixels. */
export async function saveOverlays(items: readonly Item[], opacity: number): Promise<void> {
  for (const { name, url, map, result } of items) {
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
    context.drawImage(heatCanvas(map), 0, 0, result.width, result.height);
    const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (file) save(`${name.replace(/\.[^.]*$/, '')}.heat.png`, file);
  }
}
