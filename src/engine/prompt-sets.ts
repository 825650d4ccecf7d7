/**
 * The prompt sets that one engine holds. A set is two vectors once encoded; it is encoded again when its file
 * changed or other method settings are wanted. The least recently used idle set goes first.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Material, MethodOptions, NativeEngine } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { sha256OfFile } from '../files/content-hash.js';
import { methodOf } from '../methods/registry.js';
import { type Model, modelFile, type PromptSetDescription } from '../models/model-json.js';
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
  prompts: { sha256: string; stamp: string },
  material: Material,
  method: MethodOptions,
) => Promise<string> | undefined;

interface Entry {
  users: number;
  ready: Promise<{ handle: number; identity: string }>;
}

export class PromptSets {
  /** insertion order is order of last use */
  readonly #entries = new Map<string, Entry>();
  /** of files, by absolute path and class name */
  readonly #identities = new Map<string, string>();
  readonly #engine: NativeEngine;

  readonly #model: Model;
  readonly #keptVectors: KeptVectors;

  constructor(engine: NativeEngine, model: Model, keptVectors: KeptVectors = () => undefined) {
    this.#engine = engine;
    this.#model = model;
    this.#keptVectors = keptVectors;
  }

  /**
   * @param name a set of the model, or the path of a prompt file; undefined: the model's default set
   * @param className what the pictures show, for a method whose texts name it
   * @throws CraneError E_PROMPTS or E_WEIGHTS_*
   */
  async hold(
    name: string | undefined,
    method: MethodOptions,
    className: string | undefined,
  ): Promise<HeldPrompts> {
    const found = await this.#find(name);
    const key = JSON.stringify([found.path, found.stamp, method, className]);
    const entry = this.#entries.get(key) ?? { users: 0, ready: this.#encode(found, method, className) };
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
      return { ...(await entry.ready), release };
    } catch (thrown) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw thrown;
    }
  }

  /** Of a set of the model, or of a file that was encoded already; undefined: not known yet. */
  identityOf(name: string = this.#model.prompts.default, className?: string): string | undefined {
    const { sets } = this.#model.prompts;
    return Object.hasOwn(sets, name)
      ? identityOf(sets[name]!.sha256, sets[name]!, className)
      : this.#identities.get(fileKey(resolve(name), className));
  }

  async #find(name = this.#model.prompts.default) {
    const { sets } = this.#model.prompts;
    const isSet = Object.hasOwn(sets, name);
    const set = isSet ? sets[name]! : sets[this.#model.prompts.default]!;
    const path = isSet ? modelFile(this.#model, set.file) : resolve(name);
    const facts = await stat(path).catch((cause: unknown) => {
      throw new CraneError(
        'E_PROMPTS',
        `prompts "${name}": neither a set of ${this.#model.name} nor a file`,
        {
          hint: `the model has ${Object.keys(sets).join(', ')}`,
          cause,
        },
      );
    });
    return { path, set, declared: isSet ? set.sha256 : undefined, stamp: `${facts.size}:${facts.mtimeMs}` };
  }

  /** A file of its own is scored with the two texts of the model's default set. */
  async #encode(
    {
      path,
      set,
      declared,
      stamp,
    }: { path: string; set: PromptSetDescription; declared: string | undefined; stamp: string },
    method: MethodOptions,
    className: string | undefined,
  ): Promise<{ handle: number; identity: string }> {
    const [material, sha256] = await Promise.all([
      materialOf(methodOf(method).material({ texts: set, file: path, className })),
      declared ?? sha256OfFile(path),
    ]);
    const kept = await this.#keptVectors({ sha256, stamp }, material, method);
    const handle = await this.#engine.addContext(
      kept === undefined ? material : { ...material, kept },
      method,
    );
    const identity = identityOf(sha256, set, className);
    if (declared === undefined) this.#identities.set(fileKey(path, className), identity);
    return { handle, identity };
  }

  #dropIdle(): void {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    for (const [key, entry] of idle.slice(0, Math.max(0, idle.length - k_idleSets))) {
      this.#entries.delete(key);
      entry.ready.then(({ handle }) => this.#engine.removeContext(handle)).catch(() => {});
    }
  }
}

function identityOf(
  sha256: string,
  { normal, anomalous }: PromptSetDescription,
  className: string | undefined,
): string {
  return JSON.stringify([sha256, normal, anomalous, ...(className === undefined ? [] : [className])]);
}

function fileKey(path: string, className: string | undefined): string {
  return JSON.stringify([path, className ?? null]);
}
