/**
 * The prompt sets that one engine holds. A set is two vectors once encoded; it is encoded again when its file
 * changed or other method settings are wanted. The least recently used idle set goes first.
 */
import type { Stats } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Material, MethodOptions, NativeEngine } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import type { Pair } from '../methods/descriptor.js';
import { methodOf } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import { promptFile } from '../models/prompt-file.js';
import { defaultSet, learnedAs, noneLearned } from '../models/prompt-set.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { materialOf } from '../text/material.js';

const k_idleSets = 32;

/** A set in use: give it back with release(). */
export interface HeldPrompts {
  handle: number;
  /** of equal identity: the same vectors under the same settings */
  identity: string;
  release(): void;
}

/** The file that keeps a set's vectors for the next start. */
export type KeptVectors = (
  prompts: { sha256: string; stamp: string } | undefined,
  material: Material,
  method: MethodOptions,
) => Promise<string> | undefined;

/** Called once for each file and method that were encoded. */
export type OnEncoded = (path: string, material: Material, method: MethodOptions) => Promise<void>;

/** What decides a set. */
export interface WantedPrompts {
  prompts: string | undefined;
  method: MethodOptions;
  className: string | undefined;
  /** sets of equal settings that are not shared */
  apart?: number;
}

/** Normal pictures beside the texts; held by the caller for as long as the set is. */
export interface HeldMemory {
  handle: number;
  bank: Pick<NormalBank, 'whenFreed'>;
}

/** A file of what was learned. */
interface Found {
  path: string;
  /** as it was named, absolute: a file of its own, or a training's folder */
  asked: string;
  texts: Pair | undefined;
  /** its sha256 by model.json */
  declared: string | undefined;
  stamp: string;
}

interface Entry {
  users: number;
  ready: Promise<{ handle: number; identity: string }>;
}

export class PromptSets {
  /** insertion order is order of last use */
  readonly #entries = new Map<string, Entry>();
  /** of files, by absolute path as it was named and class name */
  readonly #identities = new Map<string, string>();
  readonly #engine: NativeEngine;

  readonly #model: Model;
  readonly #keptVectors: KeptVectors;
  readonly #onEncoded: OnEncoded;

  constructor(
    engine: NativeEngine,
    model: Model,
    keptVectors: KeptVectors = () => undefined,
    onEncoded: OnEncoded = async () => {},
  ) {
    this.#engine = engine;
    this.#model = model;
    this.#keptVectors = keptVectors;
    this.#onEncoded = onEncoded;
  }

  /**
   * @param settings prompts: a set of the model, or the path of a prompt file; undefined: the method's default set.
   * className: what the pictures show, for a method whose texts name it
   * @param memory of normal pictures, for a method that keeps one
   * @throws CraneError E_USAGE, E_PROMPTS, E_INPUT_CHANGED or E_WEIGHTS_*
   */
  async hold(
    { prompts, method, className, apart }: WantedPrompts,
    memory?: HeldMemory,
  ): Promise<HeldPrompts> {
    const found = await this.#find(prompts, method);
    const key = JSON.stringify([found?.path, found?.stamp, method, className, memory?.handle, apart]);
    const entry = this.#entries.get(key) ?? {
      users: 0,
      ready: this.#encode(found, method, className, memory),
    };
    if (memory !== undefined && !this.#entries.has(key)) memory.bank.whenFreed(() => this.#drop(key));
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    let isHeld = true;
    const release = () => {
      if (isHeld) entry.users--;
      isHeld = false;
      this.#dropIdle();
    };
    try {
      const encoded = await entry.ready;
      if (found && found.declared === undefined)
        this.#identities.set(fileKey(found.asked, className), encoded.identity);
      return { ...encoded, release };
    } catch (thrown) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw thrown;
    }
  }

  /** Of a set of the model, or of a file that was encoded already; undefined: not known yet. */
  identityOf({ prompts, method, className }: WantedPrompts): string | undefined {
    const descriptor = methodOf(method);
    if (descriptor.learned === null) return identityOf(undefined, undefined, className);
    const name = prompts ?? defaultSet(this.#model, descriptor.name);
    if (name === undefined) return identityOf(undefined, undefined, className);
    const { sets } = this.#model.prompts;
    if (!Object.hasOwn(sets, name)) return this.#identities.get(fileKey(resolve(name), className));
    const { set, texts } = learnedAs(this.#model, name, descriptor);
    return identityOf(set!.sha256, texts, className);
  }

  /** @returns undefined where the method takes no file, or can do without */
  async #find(given: string | undefined, method: MethodOptions): Promise<Found | undefined> {
    const descriptor = methodOf(method);
    if (descriptor.learned === null) {
      if (given === undefined) return undefined;
      throw new CraneError(
        'E_USAGE',
        `method ${descriptor.name} takes no prompts: nothing of it is learned`,
        {
          hint: 'leave prompts (--prompts) out',
        },
      );
    }
    const name = given ?? defaultSet(this.#model, descriptor.name);
    if (name === undefined) {
      if (descriptor.learned.needed) throw noneLearned(this.#model, descriptor);
      return undefined;
    }
    const { set, texts } = learnedAs(this.#model, name, descriptor);
    const path = resolve(await promptFile(this.#model, name));
    return {
      path,
      asked: resolve(name),
      texts,
      declared: set?.sha256,
      stamp: stampOf(await stat(path)),
    };
  }

  /** A file of its own is scored with the texts of the method's default set. */
  async #encode(
    found: Found | undefined,
    method: MethodOptions,
    className: string | undefined,
    memory: HeldMemory | undefined,
  ): Promise<{ handle: number; identity: string }> {
    const { texts, path } = found ?? {};
    const [made, sha256] = await Promise.all([
      materialOf(methodOf(method).material({ texts, file: path, className })),
      found && (found.declared ?? sha256OfFile(found.path)),
    ]);
    const material = memory === undefined ? made : { ...made, contexts: { memory: [memory.handle] } };
    const prompts = found && { sha256: sha256!, stamp: found.stamp };
    const kept = await this.#keptVectors(prompts, material, method);
    const handle = await this.#engine.addContext(
      kept === undefined ? material : { ...material, kept },
      method,
    );
    if (found && (await stat(found.path).then(stampOf, () => found.stamp)) !== found.stamp) {
      // Nobody knows which of the two was hashed and which was loaded.
      this.#engine.removeContext(handle);
      if (kept !== undefined) await rm(kept, { force: true });
      throw new CraneError('E_INPUT_CHANGED', `${found.path}: changed while it was read`, {
        hint: 'ask again; replace a file that is in use by a rename',
      });
    }
    if (found) await this.#onEncoded(found.path, material, method);
    const identity = identityOf(sha256, texts, className);
    return { handle, identity };
  }

  #dropIdle(): void {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    for (const [key] of idle.slice(0, Math.max(0, idle.length - k_idleSets))) this.#drop(key);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    entry?.ready.then(({ handle }) => this.#engine.removeContext(handle)).catch(() => {});
  }
}

function stampOf({ size, mtimeMs }: Stats): string {
  return `${size}:${mtimeMs}`;
}

function identityOf(
  sha256: string | undefined,
  texts: Pair | undefined,
  className: string | undefined,
): string {
  return JSON.stringify([
    sha256,
    texts?.normal,
    texts?.anomalous,
    ...(className === undefined ? [] : [className]),
  ]);
}

function fileKey(path: string, className: string | undefined): string {
  return JSON.stringify([path, className ?? null]);
}
