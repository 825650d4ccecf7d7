/** `test --compare-paper` takes what a method's published code does, unless the caller says otherwise. */
import { expect, it } from 'vitest';
import { resolveTest } from '../../../src/evaluate/settings.js';
import { findMethod, methodNames } from '../../../src/methods/registry.js';

const method = { asPublished: { 'compat.bgr': true, mapSide: 7 } };

it('takes it only beside the published figures, and what is given wins', () => {
  expect(resolveTest({ comparePaper: true }, method).choices).toMatchObject({
    compat: { bgr: true },
    mapSide: 7,
  });
  expect(resolveTest({}, method).choices).toEqual({ compat: {} });
  const given = { comparePaper: true, compat: { bgr: false, exif: false }, mapSide: 9 };
  expect(resolveTest(given, method).choices).toMatchObject({
    compat: { bgr: false, exif: false },
    mapSide: 9,
  });
});

it.each(methodNames())('%s names settings that it has', (name) => {
  const { asPublished = {}, settings, defaults } = findMethod(name);
  for (const [setting, value] of Object.entries(asPublished)) {
    expect(Object.keys(settings)).toContain(setting);
    expect(defaults[setting]).not.toEqual(value);
  }
});
