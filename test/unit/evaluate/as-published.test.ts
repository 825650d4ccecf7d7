/** `test --compare-paper` takes what a method's published code does, unless the caller says otherwise. */
import { expect, it } from 'vitest';
import { resolveTest } from '../../../src/evaluate/settings.js';
import { findMethod, methodNames } from '../../../src/methods/registry.js';
import type { PictureChoices, TestChoices } from '../../../src/options/types.js';

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

it('files are read as the reference reads them, as far as a published figure can depend on it', () => {
  const compat = (given: TestChoices & PictureChoices) => resolveTest(given).choices.compat;
  expect(compat({ comparePaper: true })).toEqual({ maskGrey: true, exif: false });
  // None of the published sets has 16-bit grey: it would only make another set's pictures white.
  expect(compat({ comparePaper: true })).not.toHaveProperty('grey16');
  expect(compat({ comparePaper: true, compat: { maskGrey: false } })).toEqual({
    maskGrey: false,
    exif: false,
  });
  expect(compat({})).toEqual({});
});

it.each(methodNames())('%s names settings that it has', (name) => {
  const { asPublished = {}, settings, defaults } = findMethod(name);
  for (const [setting, value] of Object.entries(asPublished)) {
    expect(Object.keys(settings)).toContain(setting);
    expect(defaults[setting]).not.toEqual(value);
  }
});
