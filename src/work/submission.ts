/**
 * What is kept in the store of a piece of work (docs/scaling.md "Queue"):
 *
 *   submissions/ID.json   settings and the chunks in their order; written last by `submit`
 *   chunks/KEY.jsonl      the pictures of a chunk
 *   pins/SETTINGS.json    model and machine of the first worker; written once
 *   maps/KEY/INDEX.*      maps and heat maps, each whole
 *   parts/KEY.NONCE.jsonl results of a chunk, whole
 *   parts/KEY.done.json   names the part that counts; written once
 *
 * KEY is made of the chunk's pictures and the settings, so what was done is known whoever asks for it again.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CraneError } from '../errors.js';
import { firstFault } from '../files/first-fault.js';
import { canonicalJson } from '../runs/canonical-json.js';

const key = z.string().regex(/^[0-9a-f]{32}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

/** What decides results, beside the pictures. */
export const workSettings = z.strictObject({
  /** name of the model that workers must have loaded */
  model: z.string(),
  /** options of the library's scoreMany, by the names of the table */
  choices: z.record(z.string(), z.unknown()),
  regions: z.boolean(),
  maps: z.enum(['npy', 'png16', 'tiff']).nullable(),
  mapSize: z.enum(['picture', 'model']),
  heatmaps: z
    .strictObject({
      format: z.enum(['jpg', 'png', 'webp']),
      range: z.strictObject({ low: z.number(), high: z.number() }).nullable(),
    })
    .nullable(),
  timings: z.boolean(),
  /** makes equal work different: the time of a submission that is to do everything again */
  again: z.string().optional(),
});
export type WorkSettings = z.infer<typeof workSettings>;

export const submission = z.strictObject({
  format: z.literal('crane-native submission'),
  version: z.literal(1),
  settings: workSettings,
  /** of all pictures: how many, and the sha256 of their names in results, each followed by a zero byte */
  inputs: z.strictObject({ count, sha256 }),
  chunks: z.array(z.strictObject({ key, count: z.int().positive() })).min(1),
});
export type Submission = z.infer<typeof submission>;

/** One picture of a chunk. */
export const chunkLine = z.strictObject({
  uri: z.string().min(1),
  id: z.string().optional(),
  className: z.string().optional(),
  prompts: z.string().optional(),
  normals: z.string().optional(),
});
export type ChunkLine = z.infer<typeof chunkLine>;

/** What decides last digits: workers of one piece of work agree in it. */
export const pins = z.strictObject({
  model: z.string(),
  /** where a job gives none they are of the worker's own calibrations; earlier versions did not write them down */
  threshold: z.number().nullable().optional(),
  mapThreshold: z.number().nullable().optional(),
  precision: z.string(),
  kernels: z.string(),
  threads: z.int().positive(),
  libtorch: z.string(),
  device: z.string(),
  craneNative: z.string(),
});
export type Pins = z.infer<typeof pins>;

export const doneRecord = z.strictObject({
  format: z.literal('crane-native part'),
  version: z.literal(1),
  file: z.string().regex(/^[0-9a-f.]+\.jsonl$/),
  bytes: count,
  sha256,
  rows: count,
  failed: count,
  pins,
});
export type DoneRecord = z.infer<typeof doneRecord>;

/** The data of a job: hostile until parsed. */
export const jobData = z.strictObject({
  store: z.string(),
  submission: key,
  chunk: key,
  count: z.int().positive(),
  settings: workSettings,
});
export type JobData = z.infer<typeof jobData>;

export function chunkKey(settings: WorkSettings, text: string): string {
  return createHash('sha256')
    .update(canonicalJson(settings))
    .update('\0')
    .update(text)
    .digest('hex')
    .slice(0, 32);
}

export function settingsKey(settings: WorkSettings): string {
  return createHash('sha256').update(canonicalJson(settings)).digest('hex').slice(0, 32);
}

export const places = {
  submission: (id: string) => `submissions/${id}.json`,
  chunk: (chunk: string) => `chunks/${chunk}.jsonl`,
  pins: (settings: WorkSettings) => `pins/${settingsKey(settings)}.json`,
  part: (file: string) => `parts/${file}`,
  done: (chunk: string) => `parts/${chunk}.done.json`,
};

/** @throws CraneError E_SHARDS naming where the text stood */
export function parsedAs<T>(schema: z.ZodType<T>, text: string | Uint8Array, where: string): T {
  try {
    return schema.parse(JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8')));
  } catch (cause) {
    throw new CraneError('E_SHARDS', `${where}: ${firstFault(cause)}`, { cause });
  }
}

export function parseChunk(bytes: Uint8Array, where: string): ChunkLine[] {
  const parsed: ChunkLine[] = [];
  for (const [at, line] of linesIn(bytes))
    if (line !== '') parsed.push(parsedAs(chunkLine, line, `${where}: line ${at}`));
  return parsed;
}

/** Lines and their numbers, from 1; one text of all may be longer than a text can be. */
export function* linesIn(bytes: Uint8Array): Generator<[number, string]> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, number = 1; at < buffer.length; number++) {
    const end = buffer.indexOf(10, at);
    yield [number, buffer.toString('utf8', at, end < 0 ? buffer.length : end)];
    at = end < 0 ? buffer.length : end + 1;
  }
}
