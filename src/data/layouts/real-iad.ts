import { join } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { byCodeUnits, type Split } from '../data-set.js';
import { eachBounded } from '../each-bounded.js';
import type { Entry, EntryReading } from '../entry.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';
import { readJson } from './read-json.js';

/** The plain split before those with noise or single views, which stand beside it. */
const k_indexFolders = ['realiad_jsons/realiad_jsons', 'realiad_jsons', 'realiad_jsons_sv', 'jsons'];
/** Of these any file could be: the first one is looked into. */
const k_anybodys = 'jsons';
const k_atOnce = 4;
/** The finest pictures that are there. */
const k_pictureFolders = ['realiad_1024', 'realiad_raw', 'realiad_512', 'realiad_256', 'images', ''];

const picture = z.object({
  anomaly_class: z.string().min(1).max(255),
  image_path: z.string().min(1).max(4096),
  mask_path: z.string().max(4096).nullish(),
});
const schema = z.object({
  meta: z.object({ prefix: z.string().max(255).optional(), normal_class: z.string().default('OK') }),
  train: z.array(picture).max(1_000_000),
  test: z.array(picture).max(1_000_000),
});

/** Each view of a part is a picture of its own. */
export const realIad: Layout = {
  name: 'real-iad',
  title: 'Real-IAD (each view is a picture of its own)',
  shape: 'realiad_jsons/CLASS.json, realiad_1024/CLASS/{OK,NG/KIND}/SNNNN/NAME.jpg with NAME.png as mask',
  recognise: async (tree) => {
    const found = await filesOf(tree);
    return found.length === 0 ? undefined : { strength: 3, why: `${found[0]} is an index of Real-IAD` };
  },
  read: async (tree, split) => {
    const files = await filesOf(tree);
    const readings = await eachBounded(files, k_atOnce, (file) => readClass(tree, file, split));
    return {
      entries: readings
        .flatMap(({ entries }) => entries)
        .sort((a, b) => byCodeUnits(a.className, b.className) || byCodeUnits(a.imagePath, b.imagePath)),
      warnings: readings.flatMap(({ warnings }) => warnings),
      consulted: files,
    };
  },
};

async function filesOf(tree: PictureTree): Promise<string[]> {
  for (const wanted of k_indexFolders) {
    const folder = await tree.folder(wanted);
    if (folder === undefined) continue;
    const files = (await tree.entries(folder)).filter(
      ({ name, kind }) => kind === 'file' && /\.json$/i.test(name),
    );
    const [first] = files;
    if (first === undefined) continue;
    if (wanted === k_anybodys && !(await isIndex(join(tree.root, folder, first.name)))) continue;
    return files.map(({ name }) => `${folder}/${name}`);
  }
  return [];
}

/** Whether it has the parts of one. */
async function isIndex(file: string): Promise<boolean> {
  const value = await readJson(file).catch(() => undefined);
  return (
    typeof value === 'object' && value !== null && ['meta', 'train', 'test'].every((key) => key in value)
  );
}

async function readClass(tree: PictureTree, file: string, split: Split): Promise<EntryReading> {
  const index = await readIndex(join(tree.root, file));
  const className = file.slice(file.lastIndexOf('/') + 1).replace(/\.json$/i, '');
  const prefix = (index.meta.prefix ?? className).replace(/\/+$/, '');
  const base = await baseOf(tree, prefix);
  const entries = index[split].map(({ anomaly_class: kind, image_path, mask_path }): Entry => {
    const isAnomalous = kind !== index.meta.normal_class;
    const at = (path: string) => [base, prefix, path].filter((part) => part !== '').join('/');
    return {
      imagePath: at(image_path),
      maskPaths: isAnomalous && mask_path ? [at(mask_path)] : [],
      className,
      kind,
      isAnomalous,
    };
  });
  return { entries, warnings: [] };
}

async function baseOf(tree: PictureTree, prefix: string): Promise<string> {
  for (const wanted of k_pictureFolders) {
    const folder = wanted === '' ? '' : await tree.folder(wanted);
    if (folder === undefined) continue;
    if ((await tree.folder(folder === '' ? prefix : `${folder}/${prefix}`)) !== undefined) return folder;
  }
  return '';
}

async function readIndex(file: string): Promise<z.infer<typeof schema>> {
  const checked = schema.safeParse(await readJson(file));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new CraneError('E_DATA_META', `${file}: ${issue?.path.join('.')}: ${issue?.message}`, {
    hint: 'expected the index of a class of Real-IAD: meta, train, test',
    cause: checked.error,
  });
}
