import { join } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import type { DefectArea } from '../data-set.js';
import { classFolders, kindFolders, kindsIn, someOf } from './class-folders.js';
import { readKindFolders } from './kind-folders.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';
import { readJson } from './read-json.js';

const k_table = 'defects_config.json';

const schema = z
  .array(
    z.object({
      defect_name: z.string().max(255),
      pixel_value: z.number().int().min(0).max(65535),
      saturation_threshold: z.number().positive(),
      relative_saturation: z.boolean(),
    }),
  )
  .max(10_000);

/** Several masks a picture, one for each place where a part could be missing; how much of it has to be found is in a table. */
export const mvtecLoco: Layout = {
  name: 'mvtec-loco',
  title: 'MVTec LOCO AD (several masks of a picture, saturation areas)',
  shape: `CLASS/{train,test}/{good,KIND}/NNN.png, CLASS/ground_truth/KIND/NNN/*.png, CLASS/${k_table}`,
  recognise: async (tree) => {
    const classes = await classFolders(tree);
    for (const name of classes) {
      const kinds = await kindsIn(tree, `${name}/test`);
      if ((await tree.hasFile(`${name}/${k_table}`)) || kinds.includes('logical_anomalies'))
        return { strength: 3, why: `logical anomalies, with the classes ${someOf(classes)}` };
    }
    return undefined;
  },
  read: async (tree, split) => {
    const reading = await readKindFolders(tree, await kindFolders(tree, split));
    const defects: DefectArea[] = [];
    const consulted: string[] = [];
    for (const className of await classFolders(tree)) {
      const path = `${className}/${k_table}`;
      if (!(await tree.hasFile(path))) continue;
      consulted.push(path);
      defects.push(...(await readAreas(tree, className, path)));
    }
    return { ...reading, consulted, ...(consulted.length === 0 ? {} : { defects }) };
  },
};

async function readAreas(tree: PictureTree, className: string, path: string): Promise<DefectArea[]> {
  const file = join(tree.root, path);
  const rows = await readJson(file);
  try {
    return schema.parse(rows).map((row) => ({
      className,
      name: row.defect_name,
      pixelValue: row.pixel_value,
      saturation: row.saturation_threshold,
      isRelative: row.relative_saturation,
    }));
  } catch (cause) {
    throw new CraneError('E_DATA_META', `${file}: ${(cause as Error).message.slice(0, 200)}`, {
      hint: 'expected a list of defect_name, pixel_value, saturation_threshold, relative_saturation',
      cause,
    });
  }
}
