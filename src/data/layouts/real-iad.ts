import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../../errors.js';
import { codedReadError } from '../../files/open-file.js';
import { decodeText } from '../../files/text.js';
import { byCodeUnits, type Split } from '../data-set.js';
import type { Entry, EntryReading } from '../entry.js';
import type { Layout } from './layout.js';
import type { PictureTree } from './picture-tree.js';

/** The plain split before those with noise or single views, which stand beside it. */
const k_indexFolders = ['realiad_jsons/realiad_jsons', 'realiad_jsons', 'realiad_jsons_sv', 'jsons'];
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
    const readings = await Promise.all(files.map((file) => readClass(tree, file, split)));
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
    if (files.length > 0) return files.map(({ name }) => `${folder}/${name}`);
  }
  return [];
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
  const bytes = await readFile(file).catch((thrown: unknown) => {
    throw codedReadError(file, thrown);
  });
  let value: unknown;
  try {
    value = JSON.parse(decodeText(bytes, file));
  } catch (cause) {
    if (cause instanceof CraneError) throw cause;
    throw new CraneError('E_DATA_META', `${file}: not JSON (${(cause as Error).message.slice(0, 120)})`, {
      cause,
    });
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new CraneError('E_DATA_META', `${file}: ${issue?.path.join('.')}: ${issue?.message}`, {
    hint: 'expected the index of a class of Real-IAD: meta, train, test',
    cause: checked.error,
  });
}
