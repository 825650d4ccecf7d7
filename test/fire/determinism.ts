/** One result in every way that must not decide it, and engines with a bug planted that does. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import sharp from 'sharp';
import { loadAddon } from '../../dist/addon/load-addon.js';
import type { NativeAddon, NativeEngine } from '../../dist/addon/native.js';
import { openEngine } from '../../dist/engine/load-engine.js';
import type { ScoreManyCallOptions } from '../../dist/engine/picture-item.js';
import type { Engine, EngineOptions, PictureScore, ScoreOutcome } from '../../dist/index.js';
import { findModel } from '../../dist/models/find-model.js';
import { numbersFrom } from './faults.js';

/** Pictures of several sizes, some with a bright square. @returns their paths */
export async function makePictures(folder: string): Promise<string[]> {
  const sizes = [
    [64, 64],
    [96, 40],
    [56, 56],
    [30, 70],
    [128, 128],
    [57, 31],
    [64, 64],
  ] as const;
  return Promise.all(
    sizes.map(async ([width, height], each) => {
      const bytes = { outputLength: width * height * 3 };
      const data = createHash('shake256', bytes).update(`determinism ${each}`).digest();
      for (let y = 8; each % 2 === 1 && y < 22; y++)
        data.fill(250, (y * width + 9) * 3, (y * width + 24) * 3);
      const path = join(folder, `${each}.png`);
      await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(path);
      return path;
    }),
  );
}

/** All that is told of a picture, but its place and its times. */
function bitsOf(outcome: ScoreOutcome): unknown {
  if ('error' in outcome) throw new Error(`${outcome.input}: ${outcome.error.message}`);
  const { index: _, ms: __, map, ...told } = outcome;
  const bytes = map && new Uint8Array(map.data.buffer, map.data.byteOffset, map.data.byteLength);
  return { ...told, map: bytes && createHash('sha256').update(bytes).digest('hex') };
}

function shuffled(count: number, seed: number): number[] {
  const random = numbersFrom(seed);
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

/** In the order of `inputs`, whatever order they are given in. */
async function inOrder(stream: AsyncIterable<ScoreOutcome>, order: readonly number[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const each of stream) found[order[each.index]!] = bitsOf(each);
  return found;
}

export type Ways = Record<string, unknown[]>;

/** The results of the pictures, in their order, in every way that a caller has of asking for them. */
export async function everyWay(
  engine: Engine,
  inputs: readonly string[],
  options: ScoreManyCallOptions,
): Promise<Ways> {
  const as = inputs.map((_, at) => at);
  const many = (order: readonly number[], more: ScoreManyCallOptions) =>
    inOrder(
      engine.scoreMany(
        order.map((at) => inputs[at]!),
        { ...options, ...more },
      ),
      order,
    );
  const { batch: _, ordered: __, ...call } = options;
  const one = async (at: number) => bitsOf(await engine.score(inputs[at]!, call));
  const ways: Ways = { 'one by one': [] };
  for (const at of as) ways['one by one']!.push(await one(at));
  for (const batch of [1, 2, 3, 7]) ways[`batches of ${batch}`] = await many(as, { batch });
  ways['shuffled, batches of 3'] = await many(shuffled(as.length, 1), { batch: 3, ordered: false });
  ways['shuffled, batches of 7'] = await many(shuffled(as.length, 2), { batch: 7 });
  ways['calls at once'] = await Promise.all(as.map(one));
  const [first, second, calls] = await Promise.all([
    many(shuffled(as.length, 3), { batch: 2 }),
    many(as, { batch: 'auto' }),
    Promise.all([...as].reverse().map(one)),
  ]);
  ways['beside a stream and calls'] = first;
  ways['beside another stream'] = second;
  ways['calls beside streams'] = calls.reverse();
  return ways;
}

/** Ways whose results are not those of the first. */
export function differing(ways: Ways): string[] {
  const [[, reference], ...others] = Object.entries(ways) as [[string, unknown[]], ...[string, unknown[]][]];
  const expected = JSON.stringify(reference);
  return others.filter(([, found]) => JSON.stringify(found) !== expected).map(([name]) => name);
}

/** A threshold that some of the maps pass, so that there are regions. */
export async function thresholdWithin(
  engine: Engine,
  inputs: readonly string[],
  options: ScoreManyCallOptions,
): Promise<number> {
  const values: number[] = [];
  for await (const each of engine.scoreMany(inputs, { ...options, map: true })) {
    const { data } = (each as PictureScore).map!;
    values.push(data.toSorted()[Math.floor(0.9 * data.length)]!);
  }
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}

/** An engine whose native part has some functions put in the place of its own. */
export async function plantedEngine(
  options: EngineOptions,
  plant: (native: NativeEngine) => Partial<NativeEngine>,
): Promise<Engine> {
  const { addon } = await loadAddon();
  const planted = Object.create(addon) as NativeAddon;
  planted.openEngine = async (config) => {
    const native = await addon.openEngine(config);
    const own = plant(native) as Record<PropertyKey, unknown>;
    return new Proxy(native, {
      get(target, name) {
        if (Object.hasOwn(own, name)) return own[name];
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return openEngine(planted, await findModel(options.model!), options);
}
