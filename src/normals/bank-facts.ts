/** What a bank says of itself: the model whose patches it holds, the pictures, how they were taken. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { NativeAddon } from '../addon/native.js';
import { CraneError } from '../errors.js';

const k_key = 'crane.normals.facts';
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');

const factsSchema = z.strictObject({
  /** name of the model, for messages */
  model: z.string().min(1),
  /** of all that decides a patch (engine/bank-sets.ts) */
  towers: sha256,
  tower: z.enum(['vision', 'source']),
  /** of the vision tower; none of the source */
  blocks: z.array(z.int().min(1)),
  /** of each picture: turned copies with the picture itself, and whether each is mirrored too */
  turns: z.int().min(1),
  mirror: z.boolean(),
  /** in the order of their rows */
  pictures: z.array(z.strictObject({ name: z.string(), sha256 })).min(1),
});

export type BankFacts = z.infer<typeof factsSchema>;

/** Equal for banks with equal rows; names of pictures decide nothing. */
export function bankIdentity({ model: _, pictures, ...rest }: BankFacts): string {
  const content = JSON.stringify([rest, pictures.map((picture) => picture.sha256)]);
  return createHash('sha256').update(content).digest('hex');
}

export function metadataOf(facts: BankFacts): Record<string, string> {
  return { [k_key]: JSON.stringify(facts) };
}

/** Of a bank's file; its rows are not read. @throws CraneError E_NORMALS, E_WEIGHTS_*, E_IO_READ */
export async function readBankFacts(addon: NativeAddon, path: string): Promise<BankFacts> {
  const { metadata } = await addon.inspectWeights(path).catch((cause: unknown) => {
    throw asBankError(path, cause);
  });
  const text = metadata[k_key];
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
