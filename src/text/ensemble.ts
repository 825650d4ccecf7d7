/**
 * Text ensembles: every template around every state word around the class name, as the systems that use them write them.
 * Templates and words are data (ensembles/*.json, each with the repository and commit it was taken from).
 */
import { CraneError } from '../errors.js';
import adaclip from './ensembles/adaclip.json' with { type: 'json' };
import anovl from './ensembles/anovl.json' with { type: 'json' };
import vand from './ensembles/vand.json' with { type: 'json' };
import winclip from './ensembles/winclip.json' with { type: 'json' };

export interface Ensemble {
  /** repository, commit, licence */
  from: string;
  /** which loop is outside; sentences keep this order */
  order: string;
  /** "{}" is the slot for the class name */
  states: { normal: readonly string[]; anomalous: readonly string[] };
  /** by the name of the set; "{}" is the slot for the state */
  templates: Readonly<Record<string, readonly string[]>>;
  /** which sets, in their order; the first entry that lists the class, or lists none */
  uses: readonly { classes?: readonly string[]; templates: readonly string[] }[];
  classNames?: {
    /** everywhere in a name */
    replaced?: Readonly<Record<string, string>>;
    /** whole names */
    renamed?: Readonly<Record<string, string>>;
  };
}

export const ensembles = { winclip, vand, adaclip, anovl } satisfies Record<string, Ensemble>;

export interface Sentences {
  normal: string[];
  anomalous: string[];
}

/** @throws CraneError E_PROMPTS without a class name */
export function sentencesOf(ensemble: Ensemble, className: string | undefined): Sentences {
  if (className === undefined || className.trim() === '') {
    throw new CraneError(
      'E_PROMPTS',
      'its sentences name what the picture shows, and nobody said what it is',
      {
        hint: 'say it: --class-name bottle (className)',
      },
    );
  }
  const name = spelled(ensemble, className);
  const use = ensemble.uses.find(({ classes }) => classes?.includes(className) ?? true);
  const templates = (use?.templates ?? []).flatMap((set) => ensemble.templates[set] ?? []);
  const of = (states: readonly string[]) => {
    const described = states.map((state) => fill(state, name));
    return ensemble.order === 'template-outer'
      ? templates.flatMap((template) => described.map((state) => fill(template, state)))
      : described.flatMap((state) => templates.map((template) => fill(template, state)));
  };
  return { normal: of(ensemble.states.normal), anomalous: of(ensemble.states.anomalous) };
}

/** As the system's own code spells the name of a class. */
function spelled({ classNames }: Ensemble, className: string): string {
  const renamed = classNames?.renamed;
  const known = renamed && Object.hasOwn(renamed, className) ? renamed[className]! : className;
  return Object.entries(classNames?.replaced ?? {}).reduce(
    (name, [from, to]) => name.replaceAll(from, () => to),
    known,
  );
}

function fill(slot: string, content: string): string {
  return slot.replace('{}', () => content);
}
