/** What a method is, as `methods list` and `methods show` tell it: all from its descriptor. Pure text and plain data. */
import { type Align, aligned } from '../terminal/aligned.js';
import type { Paint } from '../terminal/paint.js';
import { type MethodDescriptor, methodFrom, type Range, type Setting } from './descriptor.js';

export interface MethodAccount {
  name: string;
  what: string;
  about: MethodDescriptor['about'] | null;
  needs: string[];
  /** of scores and map values with nothing chosen */
  ranges: { score: Range; map: Range };
  /** the same with normal pictures beside its texts; null: it takes none */
  withNormals: { score: Range; map: Range } | null;
  /** settings that `test --compare-paper` takes from the public code */
  asPublished: Record<string, unknown>;
  /** in the order of labels; `compat.NAME`: where paper, code and engine part */
  settings: { name: string; default: unknown; takes: string; help: string }[];
  /** null: nothing is learned */
  training: object | null;
}

export function accountOf(descriptor: MethodDescriptor): MethodAccount {
  const { name, what, about, settings, defaults, training } = descriptor;
  const method = methodFrom(descriptor, (setting) => defaults[setting]);
  return {
    name,
    what,
    about: about ?? null,
    needs: needsOf(descriptor),
    ranges: descriptor.ranges(method, false),
    withNormals: descriptor.remembers ? descriptor.ranges(method, true) : null,
    asPublished: { ...descriptor.asPublished },
    settings: Object.entries(settings).map(([setting, spec]) => ({
      name: setting,
      default: defaults[setting],
      takes: takes(spec),
      help: spec.help,
    })),
    training: training && { ...training.defaults },
  };
}

function needsOf({ backbone, learned, namesClass, comparesWith, remembers }: MethodDescriptor): string[] {
  const needs: string[] = [];
  if (backbone) {
    const { name, activation, positions } = backbone;
    const fitted = positions === 'none' ? 'its own input' : `${positions} positions`;
    needs.push(`the backbone ${name} with ${activation} and ${fitted}, for the published figures`);
  }
  if (comparesWith === 'bank') needs.push('a bank of normal pictures (--normals, --normals-from)');
  if (learned?.needed) needs.push('a file of what was learned (--prompts, or a set of the model)');
  else if (learned) needs.push('nothing learned; it takes a file of it (--prompts)');
  else needs.push('nothing learned');
  if (remembers) needs.push('no normal pictures; it takes some beside its texts (--normals-from)');
  if (namesClass) needs.push("the name of what the pictures show (--class-name; test takes the data set's)");
  return needs;
}

function takes(setting: Setting): string {
  switch (setting.kind) {
    case 'flag':
      return 'true or false';
    case 'choice':
      return setting.values.join(', ');
    case 'integers':
      return `whole numbers from ${setting.min}`;
    default:
      return `${setting.min} to ${setting.max}`;
  }
}

export function listTable(accounts: readonly MethodAccount[], { dim }: Paint): string {
  return table(
    accounts.map(({ name, what }) => [name, dim(what)]),
    ['left', 'left'],
  );
}

export function accountText(
  { name, what, about, needs, ranges, withNormals, asPublished, settings, training }: MethodAccount,
  { dim }: Paint,
): string {
  const heading = (text: string) => `\n${dim(text)}\n`;
  const facts: [string, string][] = [
    ['what', what],
    ...(about
      ? ([
          ['paper', about.paper],
          ['code', about.code],
          ['licence', about.licence],
        ] as [string, string][])
      : []),
    ...needs.map((need, at): [string, string] => [at === 0 ? 'needs' : '', need]),
    ...Object.entries(asPublished).map(([setting, value], at): [string, string] => [
      at === 0 ? 'published' : '',
      `with ${setting} ${shown(value)}, which test --compare-paper takes`,
    ]),
    ['gives', `scores from ${span(ranges.score)}, maps from ${span(ranges.map)}`],
    ...(withNormals
      ? ([
          [
            '',
            `with normal pictures scores from ${span(withNormals.score)}, maps from ${span(withNormals.map)}`,
          ],
        ] as [string, string][])
      : []),
  ];
  const rows = (of: MethodAccount['settings']) =>
    table(
      of.map((setting) => [setting.name, shown(setting.default), setting.takes, dim(setting.help)]),
      ['left', 'left', 'left', 'left'],
    );
  const isSwitch = ({ name: setting }: { name: string }) => setting.startsWith('compat.');
  const switches = settings.filter(isSwitch);
  return [
    `${name}\n${table(facts, ['left', 'left'])}`,
    ...(about && about.notes.length > 0
      ? [
          heading('where its code and its published figures part'),
          ...about.notes.map((note) => `- ${note}\n`),
        ]
      : []),
    heading('settings and their defaults'),
    rows(settings.filter((setting) => !isSwitch(setting))),
    ...(switches.length > 0 ? [heading('switches of compatibility (docs/compat.md)'), rows(switches)] : []),
    ...(training
      ? [
          heading('how it learns, unless said otherwise'),
          table(
            Object.entries(training).map(([option, value]) => [option, shown(value)]),
            ['left', 'left'],
          ),
        ]
      : ['\nnothing of it is trained\n']),
  ].join('');
}

function table(rows: string[][], aligns: Align[]): string {
  return `${aligned(rows, aligns)}\n`;
}

function span([low, high]: Range): string {
  return `${low} to ${high}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  return String(value);
}
