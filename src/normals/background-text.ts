/** What was left out of good pictures, for people. */
import type { BankFacts } from './bank-facts.js';

/** Undefined: pictures are taken whole. */
export function backgroundText({
  foreground,
  pictures,
}: Pick<BankFacts, 'foreground' | 'pictures'>): string | undefined {
  if (foreground === undefined) return undefined;
  const { leftOut, patches } = leftOutOf(pictures);
  const whole = pictures.filter((picture) => picture.leftOut === 0);
  const taken =
    whole.length === 0
      ? ''
      : `; ${whole.length} of ${pictures.length} good pictures show no plain background and are taken whole, for instance ${whole[0]!.name}`;
  return `background: ${leftOut} of ${patches} patches of the good pictures and their copies are left out${taken}`;
}

/** Of all pictures together. */
export function leftOutOf(pictures: BankFacts['pictures']): { leftOut: number; patches: number } {
  return {
    leftOut: pictures.reduce((sum, { leftOut = 0 }) => sum + leftOut, 0),
    patches: pictures.reduce((sum, { patches = 0 }) => sum + patches, 0),
  };
}
