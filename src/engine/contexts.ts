/** What pictures are compared with: prompts, a bank of normal pictures, or prompts and a memory, as their method asks. */

import { CraneError } from '../errors.js';
import { joinsBank, methodOf, needsBank } from '../methods/registry.js';
import type { Model } from '../models/model-json.js';
import { isLearned } from '../models/prompt-set.js';
import type { NormalBank } from '../normals/normal-bank.js';
import type { BankSets } from './bank-sets.js';
import { isEncodable, type PictureSettings } from './method-choice.js';
import type { HeldPrompts, PromptSets } from './prompt-sets.js';
import type { StoredThresholds } from './stored-thresholds.js';

/** In use: give it back with release(). */
export interface HeldContext extends HeldPrompts {
  /** with the thresholds that are known for what is compared */
  settings: PictureSettings;
  /** a bank that leaves out the background, of what is compared with it too */
  leavesOut?: true | undefined;
}

export class Contexts {
  readonly #prompts: PromptSets;
  readonly #banks: BankSets;
  readonly #stored: StoredThresholds;
  readonly #model: Model;

  constructor(parts: { model: Model; prompts: PromptSets; banks: BankSets; stored: StoredThresholds }) {
    this.#prompts = parts.prompts;
    this.#banks = parts.banks;
    this.#stored = parts.stored;
    this.#model = parts.model;
  }

  /** @throws CraneError E_USAGE, E_PROMPTS, E_NORMALS, E_WEIGHTS_*, E_CALIBRATE_* */
  async hold(settings: PictureSettings): Promise<HeldContext> {
    const { method, fit, normals } = settings;
    const isBank = needsBank(method);
    if (!isBank && !joinsBank(method) && normals === undefined) {
      const held = await this.#prompts.hold(settings);
      return { ...held, settings: this.#stored.complete(settings, held.identity) };
    }
    if (fit !== 'stretch') {
      throw new CraneError(
        'E_USAGE',
        `fit ${fit}: pictures are compared with normal ones stretched to the input, as those were`,
        { hint: 'leave --fit away, or cut the pictures yourself, the good ones too' },
      );
    }
    const held = await this.#banks.holdFor(settings, normals);
    const leavesOut = held.bank.facts.foreground;
    if (!isBank) return { ...(await this.#withMemory(settings, held)), leavesOut };
    try {
      return {
        ...held,
        leavesOut,
        settings: await this.#withOwn(this.#stored.complete(settings, held.identity), held),
      };
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  }

  /**
   * As hold(); undefined where it depends on what the pictures show and nobody said that yet, where a bank is still to be
   * given, or where all is still to be learned.
   */
  async settle(settings: PictureSettings): Promise<HeldContext | undefined> {
    const { method, prompts, normals } = settings;
    const isGiven = normals !== undefined || !(needsBank(method) || joinsBank(method));
    const isReady = isGiven && isEncodable(settings) && isLearned(this.#model, methodOf(method), prompts);
    return isReady ? this.hold(settings) : undefined;
  }

  /** Undefined: a file that was not read yet. */
  identityOf(settings: PictureSettings): string | undefined {
    const { method, normals } = settings;
    if (needsBank(method)) return this.#banks.identityOf(normals);
    const identity = this.#prompts.identityOf(settings);
    const memory = this.#banks.identityOf(normals);
    if (normals === undefined || identity === undefined) return identity;
    return memory && withMemory(identity, memory);
  }

  /** Texts beside the memory, which stays as long as they are in use. */
  async #withMemory(
    settings: PictureSettings,
    memory: HeldPrompts & { bank: NormalBank },
  ): Promise<HeldContext> {
    try {
      const held = await this.#prompts.hold(settings, memory);
      const identity = withMemory(held.identity, memory.identity);
      const release = () => {
        held.release();
        memory.release();
      };
      const settled = this.#stored.complete(settings, identity);
      try {
        const { handle } = held;
        const ofBoth = joinsBank(settings.method)
          ? await this.#withOwn(settled, { handle, identity, bank: memory.bank })
          : settled;
        return { ...held, identity, release, settings: ofBoth };
      } catch (thrown) {
        held.release();
        throw thrown;
      }
    } catch (thrown) {
      memory.release();
      throw thrown;
    }
  }

  /** A rate that the call gives comes before stored calibrations, and a threshold that it gives before the rate. */
  async #withOwn(
    settings: PictureSettings,
    held: { handle: number; identity: string; bank: NormalBank },
  ): Promise<PictureSettings> {
    const { falseAlarmRate, thresholdFrom, mapThresholdFrom } = settings;
    if (falseAlarmRate === undefined || (thresholdFrom === 'call' && mapThresholdFrom === 'call'))
      return settings;
    const own = await this.#banks.thresholds(held, settings.method, falseAlarmRate);
    return {
      ...settings,
      ...(thresholdFrom === 'call' ? {} : { threshold: own.threshold, thresholdFrom: 'bank' as const }),
      ...(mapThresholdFrom === 'call'
        ? {}
        : { mapThreshold: own.mapThreshold, mapThresholdFrom: 'bank' as const }),
    };
  }
}

function withMemory(prompts: string, memory: string): string {
  return JSON.stringify([prompts, { normals: memory }]);
}
