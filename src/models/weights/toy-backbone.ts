/**
 * The toy backbone: crane-mini's vision tower beside a text tower by recipe that knows every word of CLIP's vocabulary, so
 * that methods whose sentences name a class can be tried without any download; as spatial source the vision tower once
 * more. What it says means nothing.
 */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toText } from '../crane-models.js';
import { embeddedModels } from '../find-model.js';
import { type ModelDescription, parseModelJson } from '../model-json.js';
import { toyBackboneName } from '../model-names.js';

const k_context = 77;
const k_vocabulary = 49408;
/** Which tokens there are is said where there are few. */
const k_fewTokens = 'text.token_ids';
const k_rows: Readonly<Record<string, number>> = { 'text.tokens': k_vocabulary, 'text.pos': k_context };

/** Files of crane-mini into `folder`, and the text of its model.json. */
export async function copyToyBackbone(folder: string): Promise<string> {
  const mini = join(embeddedModels, 'crane-mini');
  const path = join(mini, 'model.json');
  const model = parseModelJson(await readFile(path, 'utf8'), path);
  const files = [...model.weights, ...Object.values(model.prompts.sets)].map(({ file }) => file);
  for (const file of files) await copyFile(join(mini, file), join(folder, file));
  // The golden picture is not copied, and a threshold holds for the texts it was chosen with.
  const { golden: _golden, ...rest } = model;
  const made: ModelDescription = {
    ...rest,
    name: toyBackboneName,
    // The same tower once more, a DINOv2 as Crane+'s usual one: so that Crane+ is among the methods that are tried.
    source: { weights: rest.weights[0]!, tower: rest.vision },
    description:
      "crane-mini's vision tower, as spatial source too, with a random text tower of the whole vocabulary: to try methods with, its scores mean nothing",
    recipes: (model.recipes ?? []).map((recipe) => ({
      ...recipe,
      tensors: recipe.tensors
        .filter(({ name }) => name !== k_fewTokens)
        .map((tensor) => {
          const rows = k_rows[tensor.name];
          return rows === undefined || !('shape' in tensor) || tensor.shape === undefined
            ? tensor
            : { ...tensor, shape: [rows, ...tensor.shape.slice(1)] };
        }),
    })),
    threshold: null,
    mapThreshold: null,
  };
  const text = toText(made);
  parseModelJson(text, `model.json of ${toyBackboneName}`);
  return text;
}
