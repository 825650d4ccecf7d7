/** Which models the rows of a paper's table run on: its own, or others of the same endings (synth-crane+, folders). */
import { CraneError } from '../errors.js';
import { type CraneVariant, craneVariantNames } from '../models/model-names.js';
import type { ExperimentRow } from '../runs/paper/experiments.js';

export interface ExperimentModels {
  /** undefined: the default model of the command */
  nameOf(model: ExperimentRow['model']): string | undefined;
  /** they are the paper's towers, by their names */
  arePapers: boolean;
}

/** Longest first: "crane+dino" ends with no other. */
const k_endings = [...craneVariantNames].sort((a, b) => b.length - a.length);

/**
 * `synth-crane+` for `crane+` means `synth-crane+dino` for `crane+dino`; a model of any other name is every row's.
 * @throws CraneError E_USAGE for such a one where the rows differ in their models
 */
export function experimentModels(
  rows: readonly ExperimentRow[],
  table: string,
  given: string | undefined,
): ExperimentModels {
  const wanted = [...new Set(rows.map(({ model }) => model).filter((model) => typeof model === 'string'))];
  if (given === undefined) {
    return { nameOf: (model) => (typeof model === 'string' ? model : model.method), arePapers: true };
  }
  const bare = given.replace(/\/+$/, '');
  const ending = k_endings.find(
    (name) => bare.endsWith(name) && /(^|[-_./])$/.test(bare.slice(0, bare.length - name.length)),
  );
  if (ending !== undefined && wanted.length > 0) {
    const before = bare.slice(0, bare.length - ending.length);
    return {
      nameOf: (model) => (typeof model === 'string' ? before + (model satisfies CraneVariant) : given),
      arePapers: true,
    };
  }
  if (wanted.length > 1)
    throw new CraneError(
      'E_USAGE',
      `the rows of table ${table} are of ${wanted.join(' and ')}; ${given} is one model`,
      {
        hint: `leave --model out, or name one that ends with ${wanted[0]}: the others are looked for beside it (synth-${wanted[0]}: weights synth)`,
      },
    );
  return { nameOf: () => given, arePapers: false };
}
