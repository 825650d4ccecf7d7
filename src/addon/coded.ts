/** The border to native code: what the addon throws, or rejects with, leaves here as the library's own error. */
import { types } from 'node:util';
import { toCraneError } from '../errors.js';
import type { NativeAddon } from './native.js';

/** Those that give another object of the addon. A flag is handed back to the addon, which knows it by itself alone. */
const k_opening: ReadonlySet<string | symbol> = new Set<keyof NativeAddon | 'beginTraining'>([
  'openEngine',
  'beginTraining',
]);

/** The same object, whose calls and fields fail with a CraneError. */
export function coded<T extends object>(native: T): T {
  return new Proxy(native, {
    get(target, name) {
      const value: unknown = orCoded(() => Reflect.get(target, name, target));
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        const answer: unknown = orCoded(() => Reflect.apply(value, target, given));
        return types.isPromise(answer) ? settled(answer, k_opening.has(name)) : answer;
      };
    },
  });
}

function orCoded<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw toCraneError(thrown);
  }
}

async function settled(answer: Promise<unknown>, opens: boolean): Promise<unknown> {
  try {
    const given = await answer;
    return opens ? coded(given as object) : given;
  } catch (thrown) {
    throw toCraneError(thrown);
  }
}
