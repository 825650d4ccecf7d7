/**
 * Pictures whose patches are kept in files, so that each goes through the towers once however many banks it is in or is compared
 * with. The files are mapped: of any number of pictures only those in use are in memory.
 */
import type { Engine } from '../engine/engine.js';
import type { ScoreOutcome } from '../engine/result.js';
import { toCraneError } from '../errors.js';
import { contentHash } from '../files/content-hash.js';
import { measurePicture } from '../images/read-samples.js';
import { bankIdentity } from '../normals/bank-facts.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type { LearnNormalsChoices, ScoreManyOptions } from '../options/types.js';
import type { PlacedItem } from './test-data.js';

type Picture = Pick<PlacedItem, 'image' | 'imagePath'>;

export class KeptPictures {
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  /** by identity */
  readonly #open = new Map<string, NormalBank>();

  constructor(engine: Engine, folder: string, signal: AbortSignal) {
    this.#engine = engine;
    this.#folder = folder;
    this.#signal = signal;
  }

  /** A bank of these, the caller's to remove. @throws CraneError those of engine.learnNormals */
  async bank(
    pictures: readonly Picture[],
    { bankSize, ...learning }: LearnNormalsChoices,
  ): Promise<NormalBank> {
    const parts: NormalBank[] = [];
    for (const picture of pictures) parts.push(await this.#of(picture, learning));
    return this.#engine.banks.merge(parts, bankSize);
  }

  /** What scoreMany would give for them with this bank, in their order, with maps; the thresholds are left out. */
  async *outcomes(
    items: readonly PlacedItem[],
    against: NormalBank,
    choices: ScoreManyOptions,
    label: string,
  ): AsyncGenerator<ScoreOutcome> {
    for (const item of items) {
      if (this.#signal.aborted) return;
      yield await this.#outcome(item, against, choices, label);
    }
  }

  remove(): void {
    for (const bank of this.#open.values()) bank.remove();
    this.#open.clear();
  }

  async #outcome(
    item: PlacedItem,
    against: NormalBank,
    choices: ScoreManyOptions,
    label: string,
  ): Promise<ScoreOutcome> {
    const { image, imagePath, index } = item;
    try {
      const { tower, blocks } = against.facts;
      const own = await this.#of(item, {
        bankTower: tower,
        ...(tower === 'vision' ? { bankBlocks: blocks } : {}),
        turns: 1,
        mirror: false,
        bankKind: 'nearest',
        bankForeground: false,
        bankPrecision: 'float32',
      });
      const { ms, ...found } = await this.#engine.banks.scoreRemembered(own, against, choices);
      const { exif } = this.#engine.settings(choices).reading;
      const { width, height } = await measurePicture(image, exif);
      return {
        input: imagePath,
        index,
        ...found,
        anomalous: null,
        threshold: null,
        width,
        height,
        model: label,
        ms: { decode: 0, ...ms },
      };
    } catch (thrown) {
      const { code, message, hint } = toCraneError(thrown);
      return { input: imagePath, index, error: { code, message, ...(hint === undefined ? {} : { hint }) } };
    }
  }

  async #of({ image, imagePath }: Picture, choices: LearnNormalsChoices): Promise<NormalBank> {
    const engine = this.#engine;
    const picture = { name: imagePath, sha256: await contentHash(image) };
    const facts = engine.banks.facts([picture], choices);
    const identity = bankIdentity(facts);
    const known = this.#open.get(identity);
    if (known) return known;
    const given = { input: image, ...picture };
    const bank = await engine.banks.openPatches(this.#folder, given, { ...choices, signal: this.#signal });
    this.#open.set(identity, bank);
    return bank;
  }
}
