/** The engines' side of the channel: loads the models, scores what is ordered, and never ends by a fault of a picture. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import type { NativeAddon } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import { openEngine } from '../engine/load-engine.js';
import { k_passChannel, type PassMessage } from '../engine/pass-channel.js';
import { CraneError, toCraneError } from '../errors.js';
import type { PictureInput } from '../images/picture-input.js';
import { methodOf } from '../methods/registry.js';
import { findModel } from '../models/find-model.js';
import type { Model } from '../models/model-json.js';
import { defaultSet } from '../models/prompt-set.js';
import { defaultOf } from '../options/table.js';
import { toResultLine } from '../sinks/result-line.js';
import type {
  Answer,
  FromEngines,
  ModelFacts,
  PictureForm,
  ScoreOrder,
  ServedModel,
  ToEngines,
} from './engine-messages.js';
import { onFrames, sendFrame } from './frames.js';

export interface EngineServerParts {
  channel: Duplex;
  loadAddon: () => Promise<{ addon: NativeAddon }>;
}

/** @returns when the channel is at its end and every engine is freed */
export async function serveEngines({ channel, loadAddon }: EngineServerParts): Promise<void> {
  const engines = new Map<string, Loaded>();
  const running = new Map<number, AbortController>();
  const send = (message: FromEngines, bytes?: Uint8Array) => sendFrame(channel, message, bytes);
  let loading: Promise<void> = Promise.resolve();
  const onPass = (message: unknown) => {
    const { pictures, ms } = message as PassMessage;
    send({ kind: 'pass', pictures, ms });
  };
  subscribe(k_passChannel, onPass);
  onFrames(channel, ({ head, bytes }) => {
    const message = head as ToEngines;
    switch (message.kind) {
      case 'load':
        loading = loadAll(message.models, loadAddon, engines, send);
        break;
      case 'score':
        void score(message.id, message.order, bytes);
        break;
      case 'cancel':
        running.get(message.id)?.abort();
        break;
      case 'close':
        channel.end();
        break;
    }
  });
  const score = async (id: number, order: ScoreOrder, bytes: Uint8Array) => {
    const cancel = new AbortController();
    running.set(id, cancel);
    try {
      const loaded = engines.get(order.model);
      if (!loaded) throw new CraneError('E_SERVICE_DOWN', `${order.model} is not loaded`);
      const { answer, parts } = await scoreOne(loaded, order, bytes, cancel.signal);
      const { retryAfterMs } = loaded.engine.queue;
      send({ kind: 'scored', id, answer, retryAfterMs }, Buffer.concat(parts));
    } catch (thrown) {
      send({ kind: 'refused', id, error: toCraneError(thrown).toJSON() });
    } finally {
      running.delete(id);
    }
  };
  await new Promise<void>((resolve) => channel.once('close', resolve));
  unsubscribe(k_passChannel, onPass);
  for (const cancel of running.values()) cancel.abort();
  await loading;
  await Promise.all([...engines.values()].map(({ engine }) => engine.dispose()));
}

interface Loaded {
  engine: Engine;
  promptSets: Readonly<Record<string, string>>;
}

async function loadAll(
  models: readonly ServedModel[],
  loadAddon: EngineServerParts['loadAddon'],
  engines: Map<string, Loaded>,
  send: (message: FromEngines) => void,
): Promise<void> {
  const facts: ModelFacts[] = [];
  for (const { name, options, promptSets } of models) {
    try {
      const model = await findModel(options.model ?? defaultOf('model'));
      const { addon } = await loadAddon();
      const engine = await openEngine(addon, model, {
        ...options,
        onWarning: ({ message }) => send({ kind: 'warning', model: name, message }),
      });
      engines.set(name, { engine, promptSets });
      facts.push(await factsOf(name, model, engine, promptSets));
    } catch (thrown) {
      send({ kind: 'not-loaded', model: name, error: toCraneError(thrown).toJSON() });
      return;
    }
  }
  send({ kind: 'loaded', models: facts });
}

/** Encodes every further prompt set once: a bad file is told now, not by the first request that names it. */
async function factsOf(
  name: string,
  model: Model,
  engine: Engine,
  promptSets: Readonly<Record<string, string>>,
): Promise<ModelFacts> {
  for (const path of Object.values(promptSets)) await engine.preparePrompts({ prompts: path });
  const { model: label, input, device, precision, prompts, weightBytes } = engine.facts;
  const { method, threshold, mapThreshold, prompts: chosen } = await engine.settledSettings();
  const others = Object.keys(promptSets).map((set) => [set, { learnedOn: null }] as const);
  const byPath = Object.entries(promptSets).find(([, path]) => path === chosen)?.[0];
  return {
    name,
    facts: {
      model: label,
      input,
      device,
      precision,
      weightBytes,
    },
    prompts: { ...prompts, ...Object.fromEntries(others) },
    description: model.description,
    licence: model.licence,
    version: model.version,
    method: methodOf(method).name,
    defaultPrompts: byPath ?? chosen ?? defaultSet(model, methodOf(method).name) ?? null,
    threshold,
    mapThreshold,
  };
}

async function scoreOne(
  { engine, promptSets }: Loaded,
  order: ScoreOrder,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<{ answer: Answer; parts: Uint8Array[] }> {
  const from = performance.now();
  const input = toInput(order.form, bytes);
  const { prompts } = order.options;
  const options = {
    ...order.options,
    ...(prompts !== undefined && Object.hasOwn(promptSets, prompts) ? { prompts: promptSets[prompts]! } : {}),
  };
  const scored = await engine.score(input, {
    ...options,
    name: order.name,
    regions: order.regions,
    map: order.map || order.heatmap !== null,
    signal,
  });
  const parts: Uint8Array[] = [];
  const { input: _input, index: _index, ...result } = toResultLine(scored, {}, true) as ScoredLineOf;
  const answer: Answer = { result, totalMs: 0 };
  if (scored.mapMax !== undefined) answer.mapMax = scored.mapMax;
  if (order.map) {
    const { data, width, height } = scored.map!;
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    answer.map = { width, height, bytes: data.byteLength };
  }
  if (order.heatmap) {
    const { mapThreshold, bitDepth, valueRange } = options;
    const png = await engine.heatMap(input, scored.map!, {
      heatmapFormat: 'png',
      ...(order.heatmap.range === null ? {} : { heatmapRange: order.heatmap.range }),
      ...(options.method === undefined ? {} : { method: options.method }),
      ...(mapThreshold === undefined ? {} : { mapThreshold }),
      ...(bitDepth === undefined ? {} : { bitDepth }),
      ...(valueRange === undefined ? {} : { valueRange }),
      signal,
    });
    parts.push(png);
    answer.heatmap = { bytes: png.length };
  }
  answer.totalMs = performance.now() - from;
  return { answer, parts };
}

type ScoredLineOf = Exclude<ReturnType<typeof toResultLine>, { error: unknown }>;

function toInput(form: PictureForm, bytes: Uint8Array): PictureInput {
  if (form.kind === 'file') return bytes;
  const { width, height, channels } = form;
  return { data: bytes, width, height, channels };
}
