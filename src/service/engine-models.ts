/** The engines of the service: loaded by the operator's choices, and what is told of them. */
import type { NativeAddon } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import { openEngine } from '../engine/load-engine.js';
import { CraneError, toCraneError } from '../errors.js';
import { normals } from '../methods/normals.js';
import { methodOf } from '../methods/registry.js';
import { findModel } from '../models/find-model.js';
import { checkTowers } from '../models/method-towers.js';
import type { Model } from '../models/model-json.js';
import { defaultSet } from '../models/prompt-set.js';
import { defaultOf, options as table } from '../options/table.js';
import type { OptionName, PictureChoices } from '../options/types.js';
import type { FromEngines, ModelFacts, ScoreOrder, ServedModel } from './engine-messages.js';

export interface Loaded {
  engine: Engine;
  promptSets: Readonly<Record<string, string>>;
  /**
   * The operator's choices for pictures that are compared with prompts. Few of them hold where a bank speaks: its scores have another
   * scale, and a threshold among them would be wrong there without a word.
   */
  defaults: Omit<PictureChoices, 'normals'>;
}

export async function loadAll(
  models: readonly ServedModel[],
  loadAddon: () => Promise<{ addon: NativeAddon }>,
  engines: Map<string, Loaded>,
  send: (message: FromEngines) => void,
): Promise<void> {
  const facts: ModelFacts[] = [];
  for (const { name, options, promptSets } of models) {
    try {
      const model = await findModel(options.model ?? defaultOf('model'));
      const { addon } = await loadAddon();
      const { ofEngine, defaults } = parted(options);
      checkMethod(model, options.method);
      const engine = await openEngine(addon, model, {
        ...ofEngine,
        onWarning: ({ message }) => send({ kind: 'warning', model: name, message }),
      });
      const loaded = { engine, promptSets, defaults };
      engines.set(name, loaded);
      facts.push(await factsOf(name, model, loaded));
    } catch (thrown) {
      send({ kind: 'not-loaded', model: name, error: toCraneError(thrown).toJSON() });
      return;
    }
  }
  send({ kind: 'loaded', models: facts });
}

/** Towers are opened once, for the model's own method and for banks. @throws CraneError E_USAGE, E_METHOD */
function checkMethod(model: Model, method: string | undefined): void {
  if (method === undefined) return;
  try {
    checkTowers(model, { name: method });
  } catch (thrown) {
    const { code, message } = toCraneError(thrown);
    const hint =
      'serve a model of that method (model.json: method), such as those of crane-native weights list';
    throw new CraneError(code, message, code === 'E_USAGE' ? { hint } : { cause: thrown });
  }
}

function parted(options: ServedModel['options']): {
  ofEngine: ServedModel['options'];
  defaults: Loaded['defaults'];
} {
  const isOfPicture = (name: string) => table[name as OptionName]?.calls?.includes('score') ?? false;
  const entries = Object.entries(options);
  return {
    ofEngine: Object.fromEntries(entries.filter(([name]) => !isOfPicture(name))),
    defaults: Object.fromEntries(entries.filter(([name]) => isOfPicture(name))),
  };
}

/** What a picture is scored with: the request's choices over the operator's. */
export function choicesOf(
  { defaults, promptSets }: Loaded,
  { options }: Pick<ScoreOrder, 'options'>,
): ScoreOrder['options'] {
  const { prompts } = options;
  const isNamed = prompts !== undefined && Object.hasOwn(promptSets, prompts);
  return {
    ...(options.normals === undefined ? defaults : besideBank(defaults, options.evidence)),
    ...options,
    ...(isNamed ? { prompts: promptSets[prompts]! } : {}),
  };
}

/** How pictures are read holds for all of them; where prompts speak too, so does what decides their maps. */
export function besideBank(
  defaults: Loaded['defaults'],
  evidence: PictureChoices['evidence'],
): Loaded['defaults'] {
  const { threshold: _, mapThreshold: __, falseAlarmRate: ___, method: ____, ...rest } = defaults;
  if (evidence === 'both') return { ...rest, evidence };
  const reading = Object.fromEntries(Object.entries(rest).filter(([name]) => k_reading.includes(name)));
  // A bank's own, also where the model's method would keep good pictures in another way.
  return { ...reading, method: normals.name };
}

const k_reading: readonly string[] = ['bitDepth', 'valueRange'];

/** Encodes every further prompt set once: a bad file is told now, not by the first request that names it. */
async function factsOf(
  name: string,
  model: Model,
  { engine, promptSets, defaults }: Loaded,
): Promise<ModelFacts> {
  for (const path of Object.values(promptSets)) await engine.preparePrompts({ ...defaults, prompts: path });
  const { input, device, precision, prompts, weightBytes } = engine.facts;
  const { method, threshold, mapThreshold, prompts: chosen } = await engine.settledSettings(defaults);
  const others = Object.keys(promptSets).map((set) => [set, { learnedOn: null }] as const);
  const takesPrompts = methodOf(method).learned !== null;
  const byPath = Object.entries(promptSets).find(([, path]) => path === chosen)?.[0];
  return {
    name,
    facts: {
      model: await engine.labelOf(defaults),
      input,
      device,
      precision,
      weightBytes,
    },
    prompts: takesPrompts ? { ...prompts, ...Object.fromEntries(others) } : {},
    description: model.description,
    licence: model.licence,
    version: model.version,
    method: methodOf(method).name,
    defaultPrompts: takesPrompts
      ? (byPath ?? chosen ?? defaultSet(model, methodOf(method).name) ?? null)
      : null,
    threshold,
    mapThreshold,
  };
}
