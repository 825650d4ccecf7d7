/** What pictures are compared with, and the threshold that belongs to it: scores of prompts and of banks have other scales. */
export type Choice = { model: string } & (PromptChoice | BankChoice);

interface PromptChoice {
  /** null: the method has none to choose */
  prompts: string | null;
}

interface BankChoice {
  bank: string;
  /** one of the same name that was made later is another one */
  created: string;
  rate: number | null;
}

export function isBank(choice: Choice): choice is { model: string } & BankChoice {
  return 'bank' in choice;
}

export function keyOf(choice: Choice): string {
  return JSON.stringify(
    isBank(choice) ? [choice.model, 'bank', choice.bank, choice.created] : [choice.model, choice.prompts],
  );
}

export function nameOf(choice: Choice): string {
  return isBank(choice) ? choice.bank : (choice.prompts ?? '');
}

/** The options of a request. */
export function queryOf(choice: Choice): Record<string, string> {
  if (!isBank(choice))
    return { model: choice.model, ...(choice.prompts === null ? {} : { prompts: choice.prompts }) };
  const { model, bank, rate } = choice;
  return { model, normals: bank, ...(rate === null ? {} : { falseAlarmRate: String(rate) }) };
}

/** Probabilities are drawn in 255 steps; distances to good pictures are small numbers, of which fewer steps would be seen. */
export function stepsOf(choice: Choice): 'uint8' | 'uint16' {
  return isBank(choice) ? 'uint16' : 'uint8';
}

/** The lowest rate that so many good pictures can hold, and no lower than one in twenty. One has no other to be compared with. */
export function rateOf(pictures: number): number | null {
  return pictures < 2 ? null : Math.max(0.05, 1 / (pictures + 1));
}

/** A picture, once it is scored. */
interface Compared {
  by?: Choice;
  result?: { threshold: number | null };
}

/** By keyOf(). */
export type Thresholds = Readonly<Record<string, number>>;

export const k_noThreshold = 0.5;

/** What the user set, else what the service chose for such a picture, else a beginning. */
export function thresholdFor({ by, result }: Compared, thresholds: Thresholds): number {
  return (by && thresholds[keyOf(by)]) ?? result?.threshold ?? k_noThreshold;
}
