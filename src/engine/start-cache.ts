/**
 * What one start leaves for the next, in <cache folder>/start: packed weights of the vision towers, which are then
 * mapped and shared between processes, and the two vectors of every prompt set. Files are written whole by the engine;
 * whatever goes wrong here costs time only.
 */
import { createHash } from 'node:crypto';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { EngineFacts, Material, MethodOptions, NativeAddon } from '../addon/native.js';
import { cacheFolder } from '../files/cache-folder.js';
import { makeFolder } from '../files/make-folder.js';
import { methodOf } from '../methods/registry.js';
import { type Model, modelFile } from '../models/model-json.js';

/** A change of what a kept file means must change this. */
const k_format = 1;
/** What was used longest ago goes when there is more. */
const k_mostBytes = 8 * 2 ** 30;
const k_mostFiles = 2000;
/** Nobody takes an hour to write one file. */
const k_staleMs = 3_600_000;

export class StartCache {
  private constructor(
    readonly folder: string,
    /** of the weight files as they lie there now */
    readonly identity: string,
  ) {}

  /** undefined where no folder can be had. */
  static async open(model: Model, env: NodeJS.ProcessEnv = process.env): Promise<StartCache | undefined> {
    try {
      const folder = join(await cacheFolder(env), 'start');
      await makeFolder(folder);
      const parts = [...model.weights, ...(model.source ? [model.source.weights] : [])];
      const files = await Promise.all(
        parts.map(async ({ file, sha256 }) => {
          const { size, mtimeNs, ino } = await stat(modelFile(model, file), { bigint: true });
          return [sha256, size, mtimeNs, ino].map(String);
        }),
      );
      return new StartCache(folder, hash([k_format, files]));
    } catch {
      return undefined;
    }
  }

  /** File for the vectors of a prompt set; on another machine, with other kernels or another number of threads, they may differ in bits. */
  async vectorsFile(
    addon: NativeAddon,
    model: Model,
    facts: EngineFacts,
    prompts: { sha256: string; stamp: string } | undefined,
    material: Material,
    method: MethodOptions,
  ): Promise<string> {
    const { version, libtorch, isa, kernels } = await addon.info();
    const key = [
      [this.identity, model.recipes ?? null, model.text],
      [prompts, ...idsOf(material), ...methodOf(method).keptBy(method), ...ownName(method)],
      [version, libtorch, isa, kernels, cpus()[0]?.model ?? '', facts.device, facts.threads],
    ];
    return join(this.folder, `${hash(key)}.vectors.safetensors`);
  }

  /** Marks what was used, and lets the rest go where there is too much. Never rejects. */
  async tidy(facts: EngineFacts): Promise<void> {
    try {
      const names = await readdir(this.folder);
      const now = new Date();
      for (const name of names) {
        if (name.startsWith(`${this.identity}.`) && name.endsWith('.safetensors'))
          await utimes(join(this.folder, name), now, now).catch(() => {});
      }
      if (
        facts.vision.packed === 'written' ||
        facts.source?.packed === 'written' ||
        names.length > k_mostFiles
      )
        await this.#drop(names);
    } catch {
      // Another process may be tidying too.
    }
  }

  async #drop(names: string[]): Promise<void> {
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.folder, name);
        const facts = await stat(path).catch(() => undefined);
        return { name, path, bytes: facts?.size ?? 0, usedMs: facts?.mtimeMs ?? 0 };
      }),
    );
    files.sort((a, b) => b.usedMs - a.usedMs);
    let bytes = 0;
    for (const [place, file] of files.entries()) {
      bytes += file.bytes;
      const isOwn = file.name.startsWith(`${this.identity}.`);
      const isStale = file.name.endsWith('.tmp') && Date.now() - file.usedMs > k_staleMs;
      const isTooMuch =
        !isOwn && !file.name.endsWith('.tmp') && (bytes > k_mostBytes || place >= k_mostFiles);
      if (isStale || isTooMuch) await rm(file.path, { force: true });
    }
  }
}

/** Sentence by sentence. */
function idsOf({ texts: { normal = [], anomalous = [], ...others } }: Material): number[][] {
  const rest = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  return [normal, anomalous, ...rest.map(([, sentences]) => sentences)].flat().map((ids) => [...ids]);
}

/** Crane's files carry no name, as its records do not. */
function ownName(method: MethodOptions): string[] {
  return method.name === undefined ? [] : [method.name];
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
