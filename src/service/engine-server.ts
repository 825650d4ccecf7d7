/** The engines' side of the channel: loads the models, scores what is ordered, and never ends by a fault of a picture. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import type { NativeAddon } from '../addon/native.js';
import { calibrateByPictures, type PictureCalibration } from '../calibrate/calibrate-pictures.js';
import { k_passChannel, type PassMessage } from '../engine/pass-channel.js';
import { CraneError, toCraneError } from '../errors.js';
import type { PictureInput } from '../images/picture-input.js';
import type { BankFacts } from '../normals/bank-facts.js';
import { toResultLine } from '../sinks/result-line.js';
import type {
  Answer,
  CalibrateOrder,
  FromEngines,
  LearnOrder,
  PictureForm,
  ScoreOrder,
  ToEngines,
  ToldError,
} from './engine-messages.js';
import { besideBank, choicesOf, type Loaded, loadAll } from './engine-models.js';
import { onFrames, sendFrame } from './frames.js';
import { mapBytes } from './map-bytes.js';

export interface EngineServerParts {
  channel: Duplex;
  loadAddon: () => Promise<{ addon: NativeAddon }>;
}

/** @returns when the channel is at its end and every engine is freed */
export async function serveEngines({ channel, loadAddon }: EngineServerParts): Promise<void> {
  const engines = new Map<string, Loaded>();
  const running = new Map<number, AbortController>();
  const send = (message: FromEngines, parts?: readonly Uint8Array[]) => sendFrame(channel, message, parts);
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
      case 'learn':
        void learn(message.id, message.order, bytes);
        break;
      case 'calibrate':
        void calibrate(message.id, message.order, bytes);
        break;
      case 'cancel':
        running.get(message.id)?.abort();
        break;
      case 'close':
        channel.end();
        break;
    }
  });
  /** Answers exactly once, whatever happens. shown: what the client calls a file of the service's. */
  const answer = async (
    id: number,
    model: string,
    work: (loaded: Loaded, signal: AbortSignal) => Promise<{ message: FromEngines; parts?: Uint8Array[] }>,
    shown: ShownFile,
  ) => {
    const cancel = new AbortController();
    running.set(id, cancel);
    try {
      const loaded = engines.get(model);
      if (!loaded) throw new CraneError('E_SERVICE_DOWN', `${model} is not loaded`);
      const { message, parts } = await work(loaded, cancel.signal);
      send(message, parts);
    } catch (thrown) {
      send({ kind: 'refused', id, error: forClients(toCraneError(thrown), shown) });
    } finally {
      running.delete(id);
    }
  };
  const score = (id: number, order: ScoreOrder, bytes: Uint8Array) =>
    answer(
      id,
      order.model,
      async (loaded, signal) => {
        const { answer, parts } = await scoreOne(loaded, order, bytes, signal);
        const { retryAfterMs } = loaded.engine.queue;
        return { message: { kind: 'scored', id, answer, retryAfterMs }, parts };
      },
      shownBank(order),
    );
  const learn = (id: number, order: LearnOrder, bytes: Uint8Array) =>
    answer(
      id,
      order.model,
      async (loaded, signal) => {
        const facts = await learnBank(loaded, order, bytes, signal);
        return { message: { kind: 'learned', id, facts } };
      },
      { path: order.path, name: 'the bank' },
    );
  const calibrate = (id: number, order: CalibrateOrder, bytes: Uint8Array) =>
    answer(
      id,
      order.model,
      async (loaded, signal) => {
        const found = await calibrateOne(loaded, order, bytes, signal);
        return { message: { kind: 'calibrated', id, found } };
      },
      shownBank(order),
    );
  await new Promise<void>((resolve) => channel.once('close', resolve));
  unsubscribe(k_passChannel, onPass);
  for (const cancel of running.values()) cancel.abort();
  await loading;
  await Promise.all([...engines.values()].map(({ engine }) => engine.dispose()));
}

interface ShownFile {
  path: string | undefined;
  name: string;
  /** prompts are to speak beside it */
  isForBoth?: boolean;
}

/** Files of the service have no paths for its clients, and what it cannot read is no fault of its own. */
function forClients(error: CraneError, { path, name, isForBoth = false }: ShownFile): ToldError {
  const { code, message, hint } = error;
  // A decoder that the operator did not install.
  if (code === 'E_DEPENDENCY')
    return { code: 'E_IMAGE_FORMAT', message, hint: `send PNG, JPEG or WebP; its operator may ${hint}` };
  if (path === undefined || code !== 'E_NORMALS') return error.toJSON();
  const again = 'learn it again: POST /v1/normals';
  return {
    code,
    message: message.replaceAll(path, name),
    hint: isForBoth ? `${again} with evidence=both` : again,
  };
}

function shownBank({ options, bank }: Pick<ScoreOrder, 'options' | 'bank'>): ShownFile {
  return { path: options.normals, name: `bank "${bank}"`, isForBoth: options.evidence === 'both' };
}

/** Files follow each other in the bytes of a frame. */
function filesIn(pictures: readonly { bytes: number }[], bytes: Uint8Array): Uint8Array[] {
  let at = 0;
  return pictures.map(({ bytes: length }) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}

function calibrateOne(
  loaded: Loaded,
  order: CalibrateOrder,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<PictureCalibration> {
  const files = filesIn(order.pictures, bytes);
  const pictures = order.pictures.map(({ name, isAnomalous }, at) => ({
    input: files[at]!,
    name,
    isAnomalous,
  }));
  // A threshold that the operator chose decides nothing about the one that is wanted.
  const { threshold: _, mapThreshold: __, ...choices } = choicesOf(loaded, order);
  const { falseAlarmRate } = order;
  return calibrateByPictures(loaded.engine, pictures, choices, { falseAlarmRate, signal });
}

async function learnBank(
  { engine, defaults }: Loaded,
  { pictures, choices, path }: LearnOrder,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<BankFacts> {
  const files = filesIn(pictures, bytes);
  const source = pictures.map(({ name }, at) => ({ input: files[at]!, name }));
  const scoring = besideBank(defaults, choices.evidence);
  const bank = await engine.banks.learn(source, { ...choices, signal }, scoring);
  try {
    await bank.save(path);
  } finally {
    bank.remove();
  }
  return bank.facts;
}

async function scoreOne(
  loaded: Loaded,
  order: ScoreOrder,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<{ answer: Answer; parts: Uint8Array[] }> {
  const from = performance.now();
  const pictureEnd = bytes.length - (order.maskBytes ?? 0);
  const input = toInput(order.form, bytes.subarray(0, pictureEnd));
  const { engine } = loaded;
  const options = choicesOf(loaded, order);
  const scored = await engine.score(input, {
    ...options,
    name: order.name,
    regions: order.regions,
    map: order.map !== null,
    heatmap: order.heatmap !== null,
    heatmapFormat: 'png',
    ...(order.heatmap?.range ? { heatmapRange: order.heatmap.range } : {}),
    ...(order.maskBytes === undefined
      ? {}
      : {
          ignore: new File(
            [new Uint8Array(bytes.subarray(pictureEnd))],
            `the mask "ignore" of ${order.name}`,
          ),
        }),
    signal,
  });
  const parts: Uint8Array[] = [];
  const { input: _input, index: _index, ...result } = toResultLine(scored, {}, true) as ScoredLineOf;
  const answer: Answer = { result, totalMs: 0 };
  if (scored.mapMax !== undefined) answer.mapMax = scored.mapMax;
  if (order.map !== null) {
    const { width, height, range } = scored.map!;
    const [low, high] = range;
    const bytes = mapBytes(scored.map!, order.map);
    parts.push(bytes);
    answer.map = { width, height, bytes: bytes.length, type: order.map, low, high };
  }
  if (scored.heatmap) {
    parts.push(scored.heatmap);
    answer.heatmap = { bytes: scored.heatmap.length };
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
