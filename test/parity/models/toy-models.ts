/**
 * Weight files and engines of the toy models. A file that the folder ships is used; everything else is made from
 * recipe.json with the addon's synthWeights into a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineConfig, Material, NativeAddon, NativeEngine } from '#crane/addon/native.js';
import type { FixtureFolder } from '../fixture/folder.js';
import { type RecipeGroup, readGroup, synthTensors } from '../fixture/recipe.js';
import { clipText, clipTower, promptMaterial, sourceTower } from './settings.js';

export type SetName = 'main' | 'archive';

/** The same model as other files: as shipped, made from the recipe, or written again by the engine. */
export type Form = 'shipped' | 'recipe' | 'converted';

export interface ModelFiles {
  clip: string[];
  prompts: string;
  source?: string;
}

type Recipe = Record<SetName, Record<string, RecipeGroup>>;

export class ToyModels {
  readonly recipe: Recipe;
  private readonly folder: FixtureFolder;
  readonly addon: NativeAddon;
  private readonly scratch = mkdtempSync(join(tmpdir(), 'crane-parity-'));
  private readonly made = new Map<string, Promise<string>>();
  private readonly engines = new Map<string, Promise<NativeEngine>>();

  constructor(folder: FixtureFolder, addon: NativeAddon) {
    this.folder = folder;
    this.addon = addon;
    this.recipe = readRecipe(folder);
  }

  /** The forms a set comes in; the first one is compared in full, the others repeat it. */
  forms(set: SetName): Form[] {
    return set === 'archive' && this.folder.has(shippedClip.archive)
      ? ['shipped', 'recipe']
      : ['recipe', 'converted'];
  }

  async files(set: SetName, form: Form, vfm: string, normBiasExponent?: number): Promise<ModelFiles> {
    const files: ModelFiles = { clip: [await this.clip(set, form)], prompts: await this.prompts(set, form) };
    if (vfm !== 'none') files.source = await this.source(vfm, form, normBiasExponent);
    return files;
  }

  /** Description of the files for the report. */
  label(set: SetName, form: Form): string {
    if (form === 'shipped') return 'clip_archive.pt, prompts_archive.pth';
    return form === 'recipe' ? `${set} by the recipe` : `${set} converted by the engine`;
  }

  hasRegisters(vfm: string): boolean {
    return this.group('main', vfm).tensors.some(({ name }) => name === 'register_tokens');
  }

  contextRows(set: SetName): number {
    return this.group(set, 'prompt')
      .tensors.find(({ name }) => name === 'ctx_pos')!
      .shape.at(-2)!;
  }

  material(set: SetName, path: string): Material {
    return promptMaterial(path, this.contextRows(set));
  }

  /** Engines are kept: opening one reads all weights. */
  engine(files: ModelFiles, vfm: string, side: number): Promise<NativeEngine> {
    const key = [...files.clip, files.source ?? '', side].join('|');
    return memo(this.engines, key, () => this.addon.openEngine(this.config(files, vfm, side)));
  }

  config(files: ModelFiles, vfm: string, side: number): EngineConfig {
    return {
      weights: files.clip,
      vision: clipTower,
      text: clipText,
      ...(files.source
        ? { source: { weights: files.source, tower: sourceTower(this.hasRegisters(vfm)) } }
        : {}),
      height: side,
      width: side,
      device: 'cpu',
      threads: 0,
    };
  }

  group(set: SetName, name: string): RecipeGroup {
    const group = this.recipe[set][name];
    if (!group) throw new Error(`recipe.json: no group "${name}" in "${set}"`);
    return group;
  }

  /** A path in the scratch folder, for files that a check writes itself. */
  scratchPath(name: string): string {
    return join(this.scratch, name);
  }

  async dispose(): Promise<void> {
    for (const engine of this.engines.values()) await (await engine.catch(() => undefined))?.dispose();
    this.engines.clear();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private async clip(set: SetName, form: Form): Promise<string> {
    if (form === 'shipped') return this.folder.claim(shippedClip.archive);
    const recipe = await this.synthesise(set, 'clip');
    if (form === 'recipe') return recipe;
    return memo(this.made, `${set}-clip-converted`, async () => {
      const path = this.scratchPath(`${set}-clip-converted.safetensors`);
      await this.addon.convertWeights([recipe], path, 'f32', {});
      return path;
    });
  }

  private async prompts(set: SetName, form: Form): Promise<string> {
    const shipped = set === 'main' ? 'toy/prompts_toy.pth' : 'toy/prompts_archive.pth';
    const isFirst = form === this.forms(set)[0];
    return isFirst && this.folder.has(shipped) ? this.folder.claim(shipped) : this.synthesise(set, 'prompt');
  }

  private async source(vfm: string, form: Form, normBiasExponent: number | undefined): Promise<string> {
    if (normBiasExponent !== undefined) return this.synthesise('main', vfm, normBiasExponent);
    const shipped = `toy/${vfm}.safetensors`;
    return form !== 'converted' && this.folder.has(shipped)
      ? this.folder.claim(shipped)
      : this.synthesise('main', vfm);
  }

  /** Recipe file of a group; `normBiasExponent` replaces the exponent of `norm.bias`. */
  synthesise(set: SetName, name: string, normBiasExponent?: number): Promise<string> {
    const file = `${set}-${name}${normBiasExponent === undefined ? '' : `-norm-bias${normBiasExponent}`}.safetensors`;
    return memo(this.made, file, async () => {
      const path = this.scratchPath(file);
      const tensors = synthTensors(this.group(set, name), (tensor) =>
        normBiasExponent !== undefined && tensor.name === 'norm.bias'
          ? { ...tensor, exponent: normBiasExponent, dtype: 'f32' }
          : tensor,
      );
      await this.addon.synthWeights(path, tensors, {});
      return path;
    });
  }
}

const shippedClip = { archive: 'toy/clip_archive.pt' };

function readRecipe(folder: FixtureFolder): Recipe {
  const raw =
    folder.json<Record<string, Record<string, { salt: string; tensors: unknown[] }>>>('toy/recipe.json');
  const groups = (set: string) =>
    Object.fromEntries(Object.entries(raw[set] ?? {}).map(([name, group]) => [name, readGroup(group)]));
  return { main: groups('main'), archive: groups('archive') };
}

function memo<T>(store: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = store.get(key);
  if (!value) {
    value = make();
    store.set(key, value);
  }
  return value;
}
