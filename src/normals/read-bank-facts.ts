/** The facts of a bank's file, checked: the file is not trusted. */
import { z } from 'zod';
import type { NativeAddon } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { type BankFacts, type BankPicture, k_factsKey } from './bank-facts.js';

/** Every field, those too that may be absent. */
type Fields<T> = Record<keyof T, z.ZodType>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');

const count = z.int().min(0).optional();
const picture = { name: z.string(), sha256, leftOut: count, patches: count } satisfies Fields<BankPicture>;

const settings = z.record(
  z.string(),
  z.union([z.boolean(), z.number(), z.string(), z.array(z.number()), z.array(z.string())]),
);

/** What a bank says of itself, field by field: whoever keeps it elsewhere takes it from here. */
export const bankFields = {
  model: z.string().min(1),
  towers: sha256,
  tower: z.enum(['vision', 'source']),
  blocks: z.array(z.int().min(1)),
  turns: z.int().min(1),
  mirror: z.boolean(),
  kind: z.literal('subspace').optional(),
  variance: z.number().gt(0).lt(1).optional(),
  size: z.int().min(1).optional(),
  foreground: z.literal(true).optional(),
  precision: z.enum(['float16', 'bfloat16']).optional(),
  beside: settings.optional(),
  reading: z
    .strictObject({
      bitDepth: z.union([z.literal('auto'), z.int().min(8).max(16)]).optional(),
      valueRange: z.strictObject({ low: z.number(), high: z.number() }).nullable().optional(),
      grey16: z.boolean().optional(),
    })
    .optional(),
  asStored: z.literal(true).optional(),
  pictures: z.array(z.strictObject(picture)).min(1),
  method: z.string().min(1).optional(),
  settings: settings.optional(),
} satisfies Fields<BankFacts>;

const factsSchema: z.ZodType<BankFacts> = z
  .strictObject(bankFields)
  .refine(({ kind, variance }) => (kind === undefined) === (variance === undefined), {
    path: ['variance'],
    message: 'expected of a subspace, and of nothing else',
  })
  .refine(({ method, settings }) => (method === undefined) === (settings === undefined), {
    path: ['settings'],
    message: "expected of a method's memory, and of nothing else",
  })
  .refine(({ kind, size, precision }) => kind === undefined || (size ?? precision) === undefined, {
    path: ['kind'],
    message: 'a subspace has no rows that were chosen or rounded',
  });

/** Of a bank's file; its rows are not read. @throws CraneError E_NORMALS, E_WEIGHTS_*, E_IO_READ */
export async function readBankFacts(addon: NativeAddon, path: string): Promise<BankFacts> {
  const { metadata } = await addon.inspectWeights(path).catch((cause: unknown) => {
    throw asBankError(path, cause);
  });
  const text = metadata[k_factsKey];
  if (text === undefined) {
    throw new CraneError('E_NORMALS', `${path}: no bank of normal pictures`, {
      hint: 'make one: npx crane-native normals learn FOLDER --out FILE',
    });
  }
  const checked = factsSchema.safeParse(parsed(text));
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new CraneError(
    'E_NORMALS',
    `${path}: damaged: ${issue!.path.join('.') || 'its description'}: ${issue!.message}`,
    { cause: checked.error },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A reader of weights speaks of weights; the code and its fault stay. */
function asBankError(path: string, thrown: unknown): unknown {
  const { code, message } = thrown as { code?: string; message: string };
  if (code !== 'E_WEIGHTS_NOT_FOUND') return thrown;
  return new CraneError('E_NORMALS', `${path}: there is no such bank`, {
    hint: 'make one: npx crane-native normals learn FOLDER --out FILE',
    cause: new Error(message),
  });
}
