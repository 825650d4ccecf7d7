import { describe, expect, it } from 'vitest';
import { crane } from '../../../src/methods/crane.js';
import { methodFrom, settingOf } from '../../../src/methods/descriptor.js';
import {
  allSettings,
  defaultMethod,
  findMethod,
  methodNames,
  methodOf,
  methodsWith,
} from '../../../src/methods/registry.js';
import { craneMethod } from '../../../src/models/crane-models.js';
import { findOption } from '../../../src/options/table.js';

describe('every method', () => {
  it.each(methodNames())('%s has a default that each of its settings accepts', (name) => {
    const { settings, defaults } = findMethod(name);
    expect(Object.keys(defaults)).toEqual(Object.keys(settings));
    for (const [setting, value] of Object.entries(defaults))
      expect(findOption(setting)?.accepts(value), setting).toBe(true);
  });

  it.each(methodNames())('%s shares a setting of the same name with the others', (name) => {
    for (const [setting, { kind, stored }] of Object.entries(findMethod(name).settings))
      expect([allSettings().get(setting)!.kind, allSettings().get(setting)!.stored]).toEqual([kind, stored]);
  });
});

it('a method is complete, and each setting is where records have it', () => {
  const method = defaultMethod('crane');
  expect(method).toEqual(craneMethod('crane'));
  expect(Object.keys(method)).not.toContain('name');
  for (const [name, setting] of Object.entries(crane.settings))
    expect(settingOf(method, name, setting)).toEqual(crane.defaults[name as keyof typeof crane.defaults]);
});

it('a setting younger than its method is in a record only where it differs from what absence means', () => {
  const made = (value: unknown) =>
    methodFrom(crane, (name) => (name === 'compat.storedTokens' ? value : crane.defaults[name as 'sigma']));
  const ofRecord = crane.settings['compat.storedTokens'];
  for (const value of [undefined, false]) {
    expect(made(value)).toEqual(craneMethod('crane'));
    expect(made(value)['compat']).not.toHaveProperty('storedTokens');
    expect(settingOf(made(value), 'compat.storedTokens', ofRecord)).toBe(false);
  }
  expect(made(true)).toMatchObject({ compat: { storedTokens: true } });
  expect(settingOf(made(true), 'compat.storedTokens', ofRecord)).toBe(true);
});

it('facts follow the settings', () => {
  const method = craneMethod('crane');
  const coupled = { ...method, compat: { ...method.compat, batchMean: true } };
  expect([method, coupled].map((each) => methodOf(each).facts(each, false).couplesPictures)).toEqual([
    false,
    true,
  ]);
  expect(methodOf(method).facts({ ...method, dAttn: true }, false).needsSource).toBe(true);
  expect(methodsWith('dAttnBeta')).toEqual(['crane', 'both']);
});

it('a name that is none is refused', () => {
  expect(() => findMethod('crame')).toThrow(expect.objectContaining({ code: 'E_METHOD' }));
});
