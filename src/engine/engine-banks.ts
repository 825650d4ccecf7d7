/** What an engine does with banks of normal pictures: learns, opens and joins them, and scores their own pictures. */
import type { BankFacts } from '../normals/bank-facts.js';
import { distinctPictures } from '../normals/copies.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { checkOptions, checkPath } from '../options/check.js';
import type { PictureChoices } from '../options/types.js';
import type { HeldContext } from './contexts.js';
import {
  bankFacts,
  checkChoices,
  type LearningParts,
  type LearnNormalsOptions,
  learnBank,
  mergeBanks,
  type NormalsSource,
} from './learn-normals.js';
import type { Lifetime } from './lifetime.js';
import type { PictureSettings } from './method-choice.js';
import { learnMutual, type MutualPictures, type MutualPicturesOptions } from './mutual-pictures.js';
import { type KeptPicture, openKept, openPatches } from './patch-files.js';
import { type Remembered, scoreRemembered } from './remembered.js';

export class EngineBanks {
  readonly #learning: LearningParts;
  readonly #lifetime: Lifetime;
  readonly #settings: (options: PictureChoices) => PictureSettings;
  readonly #hold: (settings: PictureSettings) => Promise<HeldContext>;

  constructor(parts: {
    learning: LearningParts;
    lifetime: Lifetime;
    /** of a call with these options */
    settings: (options: PictureChoices) => PictureSettings;
    /** what these compare with */
    hold: (settings: PictureSettings) => Promise<HeldContext>;
  }) {
    this.#learning = parts.learning;
    this.#lifetime = parts.lifetime;
    this.#settings = parts.settings;
    this.#hold = parts.hold;
  }

  /** See Engine.learnNormals. @param scoring how pictures will be scored, where the engine's own settings do not say it */
  async learn(
    source: NormalsSource,
    given: LearnNormalsOptions,
    scoring: PictureChoices = {},
  ): Promise<NormalBank> {
    const options = checkOptions('learnNormals', given);
    this.#lifetime.throwIfOver();
    return this.#lifetime.track(learnBank(this.#learningFor(options, scoring), source, options));
  }

  #learningFor({ evidence }: LearnNormalsOptions, scoring: PictureChoices): LearningParts {
    const choices = { ...scoring, ...(evidence === undefined ? {} : { evidence }) };
    if (Object.keys(choices).length === 0) return this.#learning;
    const { method, reading } = this.#settings(choices);
    return { ...this.#learning, method, reading };
  }

  /** The patches of one picture, from the folder; learned and put there where they are missing or damaged. The caller's to remove. */
  async openPatches(folder: string, picture: KeptPicture, options: LearnNormalsOptions): Promise<NormalBank> {
    this.#lifetime.throwIfOver();
    return (await this.#lifetime.track(openPatches(this.#learning, folder, picture, options))).bank;
  }

  /** The bank of a file, where it is that of these facts; undefined: it is missing, damaged or another. */
  async openKept(path: string, facts: BankFacts): Promise<NormalBank | undefined> {
    this.#lifetime.throwIfOver();
    return this.#lifetime.track(openKept(this.#learning, path, facts));
  }

  /** Pictures that are to be scored by each other; see mutual-pictures.ts. */
  async mutual(source: NormalsSource, options: MutualPicturesOptions): Promise<MutualPictures> {
    this.#lifetime.throwIfOver();
    return this.#lifetime.track(learnMutual(this.#learning, source, options));
  }

  /** See Engine.openNormals. */
  async open(path: string): Promise<NormalBank> {
    checkPath('the bank', path);
    this.#lifetime.throwIfOver();
    return this.#lifetime.track(this.#learning.banks.open(path));
  }

  /** See Engine.mergeNormals. @param size rows that are chosen of all */
  async merge(banks: readonly NormalBank[], size?: number): Promise<NormalBank> {
    this.#lifetime.throwIfOver();
    return this.#lifetime.track(mergeBanks(this.#learning, banks, size));
  }

  /** What a bank of these choices would be called, so that it need not be learned twice. @throws CraneError E_USAGE as learn() */
  facts(pictures: BankFacts['pictures'], choices: LearnNormalsOptions): BankFacts {
    const parts = this.#learningFor(choices, {});
    const { signal: _, onProgress: __, onNotes: ___, evidence: ____, ...given } = choices;
    checkChoices(parts.method, given);
    return bankFacts(parts, distinctPictures(pictures), choices);
  }

  /** The scores of a bank's own pictures, each against the bank without it, and their map maxima. */
  async ownScores(
    bank: NormalBank,
    options: PictureChoices = {},
  ): Promise<{ name: string; score: number; mapMax: number }[]> {
    this.#lifetime.throwIfOver();
    const { native } = this.#learning;
    const settings = this.#settings({ ...options, normals: bank });
    const { method } = settings;
    const held = await this.#lifetime.track(this.#hold(settings));
    try {
      const own = await this.#lifetime.track(native.ownScores(held.handle, method));
      return own.map(({ score, mapMax }, at) => ({ name: bank.facts.pictures[at]!.name, score, mapMax }));
    } finally {
      held.release();
    }
  }

  /** The result of the one picture that `own` holds, upright, as scoring it against the other bank gives it. */
  async scoreRemembered(own: NormalBank, against: NormalBank, options: PictureChoices): Promise<Remembered> {
    this.#lifetime.throwIfOver();
    const settings = this.#settings({ ...options, normals: against });
    const held = await this.#lifetime.track(this.#hold(settings));
    try {
      return await this.#lifetime.track(scoreRemembered(this.#learning, { own, against: held, settings }));
    } finally {
      held.release();
    }
  }

  /** The bank that such settings compare with. */
  async of(settings: PictureSettings): Promise<NormalBank> {
    this.#lifetime.throwIfOver();
    const { bank, release } = await this.#lifetime.track(this.#learning.banks.hold(settings.normals));
    release();
    return bank;
  }
}
