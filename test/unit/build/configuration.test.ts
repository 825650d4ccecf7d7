/** What is compiled again when a build folder is configured anew. */
import { expect, it } from 'vitest';
import { keepsCache, parseConfiguration } from '../../../src/build/configuration.js';

const plain = {
  definitions: { CRANE_CUDA: 'off', CRANE_TESTS: 'OFF' },
  generator: 'Ninja',
  compiler: 'gcc 12.2.0',
};

it.each([
  ['the tests', { definitions: { ...plain.definitions, CRANE_TESTS: 'ON' } }, true],
  ['another libtorch', { definitions: { ...plain.definitions, CRANE_LIBTORCH_BUILD_ID: '8a' } }, false],
  ['another compiler', { compiler: 'gcc 13.1.0' }, false],
  ['another generator', { generator: undefined }, false],
  ['CUDA', { definitions: { ...plain.definitions, CRANE_CUDA: 'on' } }, false],
  ['another nvcc', { definitions: { ...plain.definitions, CMAKE_CUDA_COMPILER: '/nvcc' } }, false],
])('with %s, what is compiled stays: %j', (_what, other, isKept) => {
  const before = parseConfiguration(JSON.stringify(plain));
  expect(keepsCache(before, { ...plain, ...other })).toBe(isKept);
});

it.each(['', '{', 'null', '{"definitions":[]}'])(
  'nothing stays of a folder that says %j of itself',
  (text) => {
    expect(keepsCache(parseConfiguration(text), plain)).toBe(false);
  },
);
