/**
 * What the named values of label maps meet: each map of a split is read once, so that a value that no map has, and maps with values
 * that nobody named, are said before anything is learned or tested.
 */
import { CraneError, toCraneError } from '../errors.js';
import { ByteBudget } from '../images/byte-budget.js';
import { defaultOf } from '../options/table.js';
import { visible } from '../terminal/visible.js';
import type { DataItem } from './data-set.js';
import { eachBounded } from './each-bounded.js';
import { type NamedValues, shownValues } from './mask-values.js';
import { valuedMask } from './valued-mask.js';
import type { ValuedMask } from './valued-mask-work.js';

const k_atOnce = 4;
/** Values of a kind that a line tells. */
const k_shown = 6;
/** Of a smooth edge there are thousands. */
const k_mostValues = 4096;

/**
 * @returns sentences about these masks
 * @throws CraneError E_DATA_MASK_VALUES where values cannot be told apart, or no mask has any that was named
 */
export async function surveyMasks(
  name: string,
  items: readonly DataItem[],
  values: NamedValues,
): Promise<string[]> {
  const masked = items.filter(({ isAnomalous, masks }) => isAnomalous && masks.length > 0);
  const others = new Map<string, number>();
  const met = new Set<number>();
  let [withOthers, unmarked, read] = [0, 0, 0];
  const budget = new ByteBudget(defaultOf('maxDecodedBytes'));
  await eachBounded(masked, k_atOnce, async ({ masks }) => {
    // An index may name a thousand for one picture, or one a thousand times.
    const found: Met[] = [];
    for (const mask of new Set(masks)) {
      const read = await readOne(mask, values, budget);
      if (read === undefined) return;
      found.push(read);
    }
    read++;
    if (found.every((mask) => mask.met.size === 0)) unmarked++;
    const strange = new Set(found.flatMap((mask) => mask.others));
    if (strange.size > 0) withOthers++;
    for (const value of strange)
      if (others.has(value) || others.size < k_mostValues) others.set(value, (others.get(value) ?? 0) + 1);
    for (const value of found.flatMap((mask) => [...mask.met])) met.add(value);
  });
  if (read > 0 && unmarked === read) {
    throw new CraneError(
      'E_DATA_MASK_VALUES',
      `${visible(name)}: none of the ${read} masks has ${shownValues(values)}; they have ${others.size === 0 ? 'nothing above 0' : listOf(others)}`,
      { hint: 'name values that they have: --mask-values' },
    );
  }
  const lines: string[] = [];
  if (withOthers > 0)
    lines.push(
      `${withOthers} of ${read} masks also have values that are not named and count as no defect: ${listOf(others)}`,
    );
  if (unmarked > 0)
    lines.push(
      `${unmarked} of ${read} anomalous pictures have nothing of ${shownValues(values)} in their masks: no pixel of them is a defect`,
    );
  const unseen = read === 0 ? [] : values.filter((_, at) => !met.has(at));
  if (unseen.length > 0) lines.push(`no mask has ${shownValues(unseen)}`);
  return lines;
}

type Met = Pick<ValuedMask, 'met' | 'others'>;

async function readOne(path: string, values: NamedValues, budget: ByteBudget): Promise<Met | undefined> {
  const ticket = budget.open();
  const reserve = (bytes: number) => ticket.take(bytes);
  try {
    const limits = { maxPixels: defaultOf('maxPixels'), exif: true, reserve };
    const { met, others } = await valuedMask(path, values, limits);
    return { met, others };
  } catch (thrown) {
    // What is damaged, whoever reads the mask says.
    if (toCraneError(thrown).code === 'E_DATA_MASK_VALUES') throw thrown;
    return undefined;
  } finally {
    ticket.close();
  }
}

function listOf(counts: ReadonlyMap<string, number>): string {
  const list = [...counts].sort(([a, of], [b, other]) => other - of || (a < b ? -1 : 1));
  const shown = list.slice(0, k_shown).map(([value, count]) => `${value} (in ${count})`);
  return list.length > k_shown ? `${shown.join(', ')} and ${list.length - k_shown} more` : shown.join(', ');
}
