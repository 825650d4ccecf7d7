/** Tells when most of a run's pictures are unlike a bank: another product, camera or light rather than many defects. */
import type { Engine } from '../engine/engine.js';
import type { PictureChoices } from '../options/types.js';

/** Of fewer pictures nothing can be told. */
const k_leastScored = 5;
/** A bank of fewer has no own scores that would tell how far good pictures are from each other. */
const k_leastOwn = 3;

/** @param scores of a run that compared with the bank of `choices` @returns undefined: nothing to say */
export async function driftWarning(
  engine: Engine,
  choices: PictureChoices,
  scores: readonly number[],
): Promise<string | undefined> {
  if (scores.length < k_leastScored) return undefined;
  const settings = await engine.settledSettings(choices);
  // They are the bank.
  if (settings.method['mutual'] === true) return undefined;
  const bank = await engine.banks.of(settings);
  // A method's memory has no own scores.
  if (bank.facts.method !== undefined || bank.facts.pictures.length < k_leastOwn) return undefined;
  const { falseAlarmRate: _, ...method } = choices;
  const farthest = Math.max(...(await engine.banks.ownScores(bank, method)).map(({ score }) => score));
  const beyond = scores.filter((score) => score > farthest).length;
  if (beyond <= scores.length / 2) return undefined;
  return `${beyond} of ${scores.length} pictures are farther from the bank than any of its own pictures from the others: is it the same product, camera and light?`;
}
