/** What a request may choose: the options of scope `http` in THE table, as text (query, form fields) or as JSON. */
import { CraneError } from '../../errors.js';
import { nearestName } from '../../nearest-name.js';
import { wrongValue } from '../../options/check.js';
import type { OptionSpec } from '../../options/kinds.js';
import { findOption, optionNames, options } from '../../options/table.js';
import type { AllOptions, OptionName } from '../../options/types.js';

export const requestNames: readonly OptionName[] = optionNames.filter((name) =>
  (options[name].scope as readonly string[]).includes('http'),
);

export type RequestChoices = Partial<AllOptions>;

/** Values given once, wherever: a second one is an error, since nobody could say which was meant. */
export class ChoicesReader {
  readonly choices: RequestChoices = {};

  /** @throws CraneError E_HTTP_REQUEST, E_USAGE */
  takeText(name: string, text: string): void {
    const spec = this.#specOf(name);
    const value = spec.read(text);
    if (value === undefined) throw wrongValue(spec.expected, name, text);
    this.#set(name, value);
  }

  /** @throws CraneError E_HTTP_REQUEST, E_USAGE */
  takeJson(name: string, value: unknown): void {
    const spec = this.#specOf(name);
    if (!spec.accepts(value)) throw wrongValue(spec.expected, name, value);
    this.#set(name, value);
  }

  /** @throws CraneError E_HTTP_REQUEST, E_USAGE */
  takeQuery(query: string): void {
    for (const [name, text] of new URLSearchParams(query)) this.takeText(name, text);
  }

  #specOf(name: string): OptionSpec<unknown> {
    const spec = findOption(name);
    if (spec?.scope.includes('http')) return spec;
    const nearest = nearestName(name, requestNames);
    throw new CraneError('E_USAGE', `a request takes no option ${JSON.stringify(name.slice(0, 80))}`, {
      hint: nearest ? `did you mean "${nearest}"?` : `it takes ${requestNames.join(', ')}`,
    });
  }

  #set(name: string, value: unknown): void {
    if (Object.hasOwn(this.choices, name))
      throw new CraneError('E_HTTP_REQUEST', `the option "${name}" is given twice`);
    (this.choices as Record<string, unknown>)[name] = value;
  }
}
