/** What a trainer gives in the end. */
import type { StepLosses } from '../addon/training.js';
import type { LossTerm } from '../runs/loss-history.js';
import type { Spread } from '../runs/spread.js';

/** What one run gave. */
export interface LearnedPrompts {
  seed: number;
  folder: string;
  /** the prompts after the last epoch, for `prompts` of loadEngine and score */
  prompts: string;
  /** means over the last epoch */
  losses: StepLosses;
  seconds: number;
}

export interface TrainOutcome {
  out: string;
  /** data sets that the prompts were learned on */
  learnedOn: string[];
  runs: LearnedPrompts[];
  /** over the runs, of the last epoch's losses; only with several seeds */
  spread?: Record<LossTerm, Spread>;
}
