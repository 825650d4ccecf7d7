/** Axes of a grid on which no figure depends. */
import { type SettledForm, whyIdle } from '../engine/idle-settings.js';
import type { GridAxis } from './grid.js';
import type { FiguresRow } from './outputs/figures-table.js';

/** Equal figures for all values of an axis look like a finding; where the option cannot matter, that is the reason. */
export function idleAxes(
  axes: readonly GridAxis[],
  rows: readonly FiguresRow[],
  settings: readonly SettledForm[],
): string[] {
  return axes.flatMap(({ name, texts, options = [name] }, at) => {
    if (texts.length < 2) return [];
    const figures = new Map<string, string>();
    for (const { values, dataSet, cells } of rows) {
      const others = JSON.stringify([dataSet, values.filter((_, place) => place !== at)]);
      const own = JSON.stringify(cells.map(({ value }) => value));
      if ((figures.get(others) ?? own) !== own) return [];
      figures.set(others, own);
    }
    const why = new Set(options.flatMap((option) => settings.map((of) => whyIdle(option, of))));
    const reason = why.size === 1 ? [...why][0] : undefined;
    return [
      reason === undefined
        ? `no figure depends on ${name}: all of its values give the same`
        : `no figure depends on ${name}, and none can: ${reason}`,
    ];
  });
}
