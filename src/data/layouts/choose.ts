/** Finds the layout of a tree, or takes the one that was asked for. */
import { CraneError } from '../../errors.js';
import { nearestName } from '../../nearest-name.js';
import { adviceFor } from './known-sets.js';
import type { Layout, Recognised } from './layout.js';
import type { PictureTree } from './picture-tree.js';
import { layouts } from './registry.js';

/** Of folders that say nothing of a data set: neither a layout, nor several, nor data sets below them. */
export class UnknownLayout extends CraneError {}

export interface Chosen {
  layout: Layout;
  reason: string;
}

/** @param wanted name of a layout, or 'auto'; @throws CraneError E_USAGE, E_DATA_LAYOUT */
export async function chooseLayout(tree: PictureTree, wanted: string): Promise<Chosen> {
  if (wanted !== 'auto') return { layout: layoutNamed(wanted), reason: 'as asked for' };
  const [best, ...equals] = await surest(tree);
  if (best === undefined) throw await unknownLayout(tree);
  if (equals.length > 0) {
    const all = [best, ...equals];
    const names = all.map(({ layout, recognised }) => `${layout.name} (${recognised.why})`);
    throw new CraneError('E_DATA_LAYOUT', `${tree.root}: fits several layouts: ${names.join('; ')}`, {
      hint: `say which it is: ${all.map(({ layout }) => `--layout ${layout.name}`).join(', ')}; what each is: npx crane-native data list`,
    });
  }
  return { layout: best.layout, reason: best.recognised.why };
}

/** The layouts that are surest of a tree, mostly one. */
async function surest(tree: PictureTree): Promise<{ layout: Layout; recognised: Recognised }[]> {
  const fitting: { layout: Layout; recognised: Recognised }[] = [];
  for (const layout of layouts) {
    const recognised = await layout.recognise(tree);
    if (recognised) fitting.push({ layout, recognised });
  }
  const strength = Math.max(...fitting.map(({ recognised }) => recognised.strength));
  return fitting.filter(({ recognised }) => recognised.strength === strength);
}

function layoutNamed(name: string): Layout {
  const found = layouts.find((layout) => layout.name === name);
  if (found) return found;
  const names = layouts.map((layout) => layout.name);
  const nearest = nearestName(name, names);
  throw new CraneError('E_USAGE', `there is no layout "${name}"`, {
    hint: nearest ? `did you mean ${nearest}?` : `one of auto, ${names.join(', ')}`,
  });
}

async function unknownLayout(tree: PictureTree): Promise<CraneError> {
  const advice = await adviceFor(tree, async (below) => (await surest(below)).length > 0);
  if (advice && !advice.isUnlabelled)
    return new CraneError('E_DATA_LAYOUT', `${tree.root}: ${advice.what}`, { hint: advice.hint });
  const {
    what = 'no meta.json, and folders of no known layout',
    hint = 'the simplest: good/ and bad/ with pictures, masks/ with NAME_mask; all: npx crane-native data list',
  } = advice ?? {};
  return new UnknownLayout('E_DATA_LAYOUT', `${tree.root}: ${what}`, { hint });
}
