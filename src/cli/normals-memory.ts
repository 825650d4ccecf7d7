/** The memories of methods among the banks of `crane-native normals`: whose it is to be, and with which settings. */
import { CraneError } from '../errors.js';
import { normals } from '../methods/normals.js';
import { defaultMethod, methodNames, methodOf, takesMemory } from '../methods/registry.js';
import type { BankFacts } from '../normals/bank-facts.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { shellOption } from '../terminal/shell-word.js';

const k_keepers = methodNames().map(defaultMethod).filter(takesMemory);

/** Settings that decide what some method keeps of a picture. */
export const k_remembered = [
  ...new Set(k_keepers.flatMap((method) => Object.keys(methodOf(method).remembers?.(method) ?? {}))),
] as OptionName[];

/** The options of an engine that learns a bank, or the memory of --method. @throws CraneError E_USAGE */
export function learningValues(values: AllOptions, isGiven: (name: OptionName) => boolean): AllOptions {
  const { method: name, ...others } = values;
  const isBank = name === undefined || name === normals.name;
  const method = isBank ? undefined : defaultMethod(name);
  if (method !== undefined && !takesMemory(method))
    throw new CraneError('E_USAGE', `method ${name} keeps no normal pictures`, {
      hint: `leave --method out for a bank, or take ${k_keepers.map((each) => each.name).join(', ')}`,
    });
  const kept = method === undefined ? {} : (methodOf(method).remembers?.(method) ?? {});
  const idle = k_remembered.find((each) => isGiven(each) && !Object.hasOwn(kept, each));
  if (idle !== undefined)
    throw new CraneError(
      'E_USAGE',
      `--${flagName(idle)} does not decide what ${isBank ? 'a bank' : `method ${name}`} keeps of a picture`,
    );
  return (isBank ? others : values) as AllOptions;
}

/** The options of an engine that learns more for what is there. */
export function valuesOf(facts: BankFacts, values: AllOptions): AllOptions {
  return { ...values, ...(facts.method === undefined ? {} : { method: facts.method, ...facts.settings }) };
}

/** How pictures are scored with it. */
export function useOf(facts: BankFacts, file: string): string {
  const { method, settings = {} } = facts;
  if (method === undefined) return shellOption('normals', file);
  const usual = methodOf(defaultMethod(method)).remembers?.(defaultMethod(method)) ?? {};
  const changed = Object.entries(settings).filter(([name, value]) => String(value) !== String(usual[name]));
  return [
    `--method ${method} --class-name NAME`,
    ...changed.map(([name, value]) => shellOption(flagName(name as OptionName), String(value))),
    shellOption('normals', file),
  ].join(' ');
}
