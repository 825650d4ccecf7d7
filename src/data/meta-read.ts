/**
 * Reads meta.json, the index of the reference:
 * {"train": {CLASS: [...]}, "test": {CLASS: [{img_path, mask_path, cls_name, specie_name, anomaly}]}}.
 * The file is untrusted: its size, its depth and every field are checked, and no name of a class ever becomes a key
 * of an object.
 */

import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { codedReadError } from '../files/open-file.js';
import { decodeText } from '../files/text.js';
import { shellPath } from '../terminal/shell-word.js';
import { visible } from '../terminal/visible.js';
import type { Split } from './data-set.js';
import type { Entry, EntryReading } from './entry.js';

/** About 300 bytes an entry: room for a million pictures. */
export const k_maxIndexBytes = 256 * 2 ** 20;
export const k_maxIndexEntries = 1_000_000;
const k_maxClasses = 10_000;

const path = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), 'a path with a zero character');
const label = z.string().max(255);

const entrySchema = z.object({
  img_path: path.min(1),
  mask_path: path.nullish(),
  // Ours: masks that are united; other programs see the first of them as mask_path.
  mask_paths: z.array(path.min(1)).max(1000).nullish(),
  cls_name: label.nullish(),
  specie_name: label.nullish(),
  anomaly: z.union([z.literal(0), z.literal(1), z.boolean(), z.enum(['0', '1'])]),
});

const defectsSchema = z
  .array(
    z.object({
      className: label,
      name: label,
      pixelValue: z.number().int().min(0).max(65535),
      saturation: z.number().positive(),
      isRelative: z.boolean(),
    }),
  )
  .max(100_000);

/** Ours: which values of label maps are defects; other programs take all above 0. */
const maskValuesSchema = z
  .array(
    z.union([
      z.strictObject({ text: z.string().min(1).max(200), number: z.number().min(0) }),
      z.strictObject({ text: z.string().min(1).max(200), colour: z.string().regex(/^#[0-9a-f]{6}$/) }),
    ]),
  )
  .min(1)
  .max(65536);

export interface MetaIndex {
  read(split: Split): EntryReading;
}

/** @throws CraneError E_DATA_META, E_DATA_NOT_FOUND, E_INPUT_PERMISSION, E_IO_READ */
export async function readMetaFile(file: string): Promise<MetaIndex> {
  return parseMeta(await readBounded(file), file);
}

/** @param name what messages call it; @throws CraneError E_DATA_META */
export function parseMeta(text: string, name: string): MetaIndex {
  let meta: unknown;
  try {
    // A byte order mark is no JSON, but Windows editors write one.
    meta = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw refuse(name, `not JSON (${(cause as Error).message.slice(0, 120)})`, cause);
  }
  const groups = new Map((['train', 'test'] as const).map((split) => [split, groupsOf(meta, split, name)]));
  if (groups.get('train') === undefined && groups.get('test') === undefined)
    throw refuse(name, 'neither "test" nor "train" is in it');
  const defects = furtherOf(meta, 'defects', defectsSchema, name);
  const maskValues = furtherOf(meta, 'mask_values', maskValuesSchema, name);
  return {
    read: (split) => ({
      ...readGroups(groups.get(split) ?? [], split, name),
      ...(defects === undefined ? {} : { defects }),
      ...(maskValues === undefined ? {} : { maskValues }),
    }),
  };
}

/** What an index of ours has beside the splits. */
function furtherOf<T>(meta: unknown, key: string, schema: z.ZodType<T>, name: string): T | undefined {
  if (!isPlainObject(meta) || !Object.hasOwn(meta, key)) return undefined;
  const checked = schema.safeParse(meta[key]);
  if (checked.success) return checked.data;
  throw refuse(name, `"${key}": ${checked.error.issues[0]?.message}`, checked.error);
}

/** The classes of a split in the file's order (names that are whole numbers first, as JSON.parse orders keys). */
function groupsOf(meta: unknown, split: Split, name: string): [string, unknown[]][] | undefined {
  if (!isPlainObject(meta)) throw refuse(name, 'expected an object with "train" and "test"');
  if (!Object.hasOwn(meta, split)) return undefined;
  const classes = meta[split];
  if (!isPlainObject(classes)) throw refuse(name, `"${split}" is no object of classes`);
  const groups = Object.entries(classes);
  if (groups.length > k_maxClasses)
    throw refuse(name, `"${split}" has ${groups.length} classes, at most ${k_maxClasses} are read`);
  return groups.map(([className, entries]) => {
    if (className === '' || className.length > 255)
      throw refuse(
        name,
        `a class of "${split}" whose name has ${className.length} characters, expected 1 to 255`,
      );
    if (!Array.isArray(entries))
      throw refuse(name, `${split}, class ${visible(className)}: expected a list of pictures`);
    return [className, entries];
  });
}

function readGroups(groups: readonly [string, unknown[]][], split: Split, name: string): EntryReading {
  const count = groups.reduce((sum, [, entries]) => sum + entries.length, 0);
  if (count > k_maxIndexEntries)
    throw refuse(name, `"${split}" has ${count} pictures, at most ${k_maxIndexEntries} are read`);
  const entries = groups.flatMap(([className, list]) =>
    list.map((raw, index) =>
      readEntry(raw, className, `${split}, class ${visible(className)}, entry ${index}`, name),
    ),
  );
  return { entries, warnings: [] };
}

function readEntry(raw: unknown, className: string, where: string, name: string): Entry {
  const checked = entrySchema.safeParse(raw);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const field = issue?.path.join('.') || 'it';
    throw refuse(name, `${where}: ${field}: ${issue?.message}`, checked.error);
  }
  const { img_path, mask_path, mask_paths, cls_name, specie_name, anomaly } = checked.data;
  if (typeof cls_name === 'string' && cls_name !== className)
    throw refuse(name, `${where}: cls_name is "${visible(cls_name)}"`);
  const isAnomalous = Boolean(Number(anomaly));
  return {
    imagePath: img_path,
    maskPaths: mask_paths && mask_paths.length > 0 ? mask_paths : mask_path ? [mask_path] : [],
    className,
    kind: specie_name || (isAnomalous ? 'anomalous' : 'good'),
    isAnomalous,
  };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function readBounded(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > k_maxIndexBytes) throw refuse(file, `${size} bytes, at most ${k_maxIndexBytes} are read`);
      return decodeText(await handle.readFile(), file);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof CraneError) throw thrown;
    throw codedReadError(file, thrown);
  }
}

function refuse(name: string, what: string, cause?: unknown): CraneError {
  const out = basename(name) === 'meta.json' ? '' : ` --out ${shellPath(name)}`;
  return new CraneError('E_DATA_META', `${name}: ${what}`, {
    hint: `make a new index from the folders: npx crane-native data index ${shellPath(dirname(name))}${out} --force`,
    cause,
  });
}
