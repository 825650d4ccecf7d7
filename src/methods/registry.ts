/** THE list of methods. A new one is a descriptor beside this file and an entry here, with its native counterpart. */
import type { MethodOptions } from '../addon/method.js';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { adaclip } from './adaclip.js';
import { anomalyclip } from './anomalyclip.js';
import { anovl } from './anovl.js';
import { both } from './both.js';
import { crane } from './crane.js';
import { type MethodDescriptor, methodFrom, methodName, type Range, type Setting } from './descriptor.js';
import { normals } from './normals.js';
import { vand } from './vand.js';
import { winclip } from './winclip.js';

// Help of a shared setting is the first one's.
const builtIn = [
  crane,
  adaclip,
  anomalyclip,
  anovl,
  both,
  normals,
  vand,
  winclip,
] as const satisfies readonly MethodDescriptor[];

type EachSettings = (typeof builtIn)[number]['settings'];
type SettingName<S> = S extends unknown ? keyof S & string : never;
/** Every setting of every method by its name; where several have it, any of theirs. */
export type AllSettings = {
  readonly [K in SettingName<EachSettings>]: Extract<EachSettings, { readonly [N in K]: unknown }>[K];
};

const all: MethodDescriptor[] = [...builtIn];

/**
 * One method more for this process, before anything reads the list: options are made from it when they are first
 * imported. The door for the tests' own method; no option, variable or file leads here.
 */
export function addMethod(descriptor: MethodDescriptor): void {
  if (!all.some(({ name }) => name === descriptor.name)) all.push(descriptor);
}

export function methodNames(): string[] {
  return all.map(({ name }) => name);
}

/** @throws CraneError E_METHOD */
export function findMethod(name: string): MethodDescriptor {
  const found = all.find((each) => each.name === name);
  if (found) return found;
  const near = nearestName(name, methodNames());
  throw new CraneError('E_METHOD', `there is no method "${name}"`, {
    hint: near ? `did you mean ${near}?` : `there is ${methodNames().join(', ')}`,
  });
}

export function methodOf(method: MethodOptions): MethodDescriptor {
  return findMethod(methodName(method));
}

/** Every setting of every method, by name; methods that share a name share the setting. */
export function allSettings(): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const descriptor of all) {
    for (const [name, setting] of Object.entries(descriptor.settings)) {
      const known = settings.get(name);
      if (!known) settings.set(name, setting);
      else if (known.kind === 'choice' && setting.kind === 'choice')
        settings.set(name, { ...known, values: [...new Set([...known.values, ...setting.values])] });
    }
  }
  return settings;
}

/** Its pictures are compared with a bank of normal ones, not with prompts. */
export function needsBank(method: MethodOptions): boolean {
  return methodOf(method).comparesWith === 'bank';
}

/** Its pictures are compared with prompts and a bank of normal ones. */
export function joinsBank(method: MethodOptions): boolean {
  return methodOf(method).comparesWith === 'both';
}

export function methodsWith(setting: string): string[] {
  return all.filter(({ settings }) => Object.hasOwn(settings, setting)).map(({ name }) => name);
}

/** A method with nothing chosen. */
export function defaultMethod(name: string): MethodOptions {
  const descriptor = findMethod(name);
  return methodFrom(descriptor, (setting) => descriptor.defaults[setting]);
}

/** A memory of normal pictures may stand beside its texts. */
export function takesMemory(method: MethodOptions): boolean {
  return methodOf(method).remembers !== undefined;
}

/** What pictures were compared with, as far as ranges follow it: settings of a picture, or of a run. */
export interface ComparedWith {
  method: MethodOptions;
  /** a bank or a memory of normal pictures */
  normals?: unknown;
}

function factsOf({ method, normals }: ComparedWith): ReturnType<MethodDescriptor['facts']> {
  return methodOf(method).facts(method, normals !== undefined);
}

/** A score depends on who shares the forward pass. */
export function couplesPictures(compared: ComparedWith): boolean {
  return factsOf(compared).couplesPictures;
}

/** It depends on all pictures of a class. */
export function needsWholeClass(compared: ComparedWith): boolean {
  return factsOf(compared).needsWholeClass === true;
}

/** It depends on the pictures that came before. */
export function dependsOnOrder(compared: ComparedWith): boolean {
  return factsOf(compared).dependsOnOrder === true;
}

/** It reads the model's spatial source. */
export function needsSource(method: MethodOptions): boolean {
  return factsOf({ method }).needsSource;
}

/** In which scores and map values lie. */
export function rangesOf({ method, normals }: ComparedWith): { score: Range; map: Range } {
  return methodOf(method).ranges(method, normals !== undefined);
}

/**
 * Colours run over what its maps may be, unless a caller says otherwise; where they stay near the lower end of that, to twice the
 * threshold, or as far as they are known to go: a flaw that was found has to be seen.
 */
export function mapColours(compared: ComparedWith & { mapThreshold?: number | null }): {
  low: number;
  high: number;
} {
  const [low, highest] = rangesOf(compared).map;
  const seldomAbove = methodOf(compared.method).mapsSeldomAbove;
  if (seldomAbove === undefined) return { low, high: highest };
  const { mapThreshold } = compared;
  const isUseful = typeof mapThreshold === 'number' && mapThreshold > low;
  return { low, high: isUseful ? Math.min(highest, 2 * mapThreshold - low) : seldomAbove };
}

/** Around the values of every method with nothing chosen: what an option may be before its method is known. */
export function widestRange(of: 'score' | 'map'): Range {
  const ranges = all.flatMap((descriptor) =>
    [false, true].map((hasMemory) => descriptor.ranges(defaultMethod(descriptor.name), hasMemory)[of]),
  );
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
}
