/** Tolerances of the training loop, as the README of the fixtures gives them; with_half is the reference's own rounding. */
import type { Tolerance } from './tolerances.js';

export interface TrainingTolerance extends Tolerance {
  /** times the tensor's largest entry */
  relative?: boolean;
}

/** Undefined: not a key of the loop itself, or one without a given tolerance. */
export function trainingTolerance(key: string, isHalf: boolean): TrainingTolerance | undefined {
  if (key === 'losses') {
    return isHalf
      ? { stage: 'loss terms, with half', absolute: 5e-3, reason: 'D 5e-4' }
      : { stage: 'loss terms', absolute: 2e-4, reason: 'D 1.5e-5 at values up to 16' };
  }
  if (key.startsWith('initial.'))
    return { stage: 'initial prompts', absolute: 0, reason: 'read, not computed' };
  const gradient = /^step01\.grad\.(compound)?/.exec(key);
  if (gradient) {
    return isHalf && gradient[1]
      ? { stage: 'gradients of deep tokens, with half', absolute: 3e-3, relative: true, reason: 'D 3.5e-4' }
      : { stage: 'gradients of step 1', absolute: 3e-5, relative: true, reason: 'D 2.1e-6' };
  }
  const parameter = /^step(\d+)\.param\./.exec(key);
  if (!parameter) return undefined;
  const step = Number(parameter[1]);
  if (step === 1) return { stage: 'parameters after step 1', absolute: 1e-7, reason: 'D 5e-9' };
  if (!isHalf) return { stage: 'parameters after later steps', absolute: 3e-6, reason: 'D 3.3e-7' };
  return step === 2
    ? { stage: 'parameters after step 2, with half', absolute: 2e-5, reason: 'D 2.1e-6' }
    : { stage: 'parameters after later steps, with half', absolute: 6e-5, reason: 'D 6.2e-6' };
}
