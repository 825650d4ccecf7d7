/** What src/methods says of a method, and what the engine says of it, are the same. */
import { expect, it } from 'vitest';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { methodFrom, type Setting, settingOf } from '../../dist/methods/descriptor.js';
import { defaultMethod, findMethod, methodNames } from '../../dist/methods/registry.js';

/** Told of a picture beside its score (`backgroundPatches`), and never its score. */
const k_count = 'background';

it.each(methodNames())('%s', async (name) => {
  const { addon } = await loadAddon();
  const descriptor = findMethod(name);
  const usual = defaultMethod(name);
  const changed = (one: string, value: unknown) =>
    methodFrom(descriptor, (setting: string, spec: Setting) =>
      setting === one ? value : settingOf(usual, setting, spec),
    );
  const methods = Object.entries(descriptor.settings).flatMap(([setting, spec]) => {
    if (spec.kind === 'flag') return [true, false].map((value) => changed(setting, value));
    if (spec.kind === 'choice') return spec.values.map((value) => changed(setting, value));
    return [];
  });
  expect(methods.length).toBeGreaterThan(0);
  for (const method of methods) {
    const { parts, couplesPictures } = addon.methodFacts(method);
    // The engine does not know yet whether there will be a memory: what couples with one couples.
    expect(couplesPictures).toBe(descriptor.facts(method, true).couplesPictures);
    const { imageScore } = descriptor.settings as Record<string, { values?: readonly string[] }>;
    expect(imageScore?.values).toEqual(parts.filter((part) => part !== k_count));
  }
});
