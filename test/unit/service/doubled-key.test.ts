import { describe, expect, it } from 'vitest';
import { doubledKey } from '../../../src/service/requests/doubled-key.js';

describe('a key that an object has twice', () => {
  it.each([
    ['{"a":1,"a":2}', 'a'],
    ['{ "a" : 1 , "b" : 2 , "a"\n\t:3}', 'a'],
    ['{"a":{"b":1},"c":[{"d":1},{"d":1,"d":2}]}', 'd'],
    ['{"a":[{}],"a":[]}', 'a'],
    ['{"":1,"":2}', ''],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"x\\\\":1,"y\\"":2,"x\\\\":3}', 'x\\'],
    ['{"y":"\\\\\\"}{","y":2}', 'y'],
  ])('is found: %s', (json, key) => {
    JSON.parse(json);
    expect(doubledKey(json)).toBe(key);
  });

  it.each([
    '{}',
    '[]',
    '"a"',
    '{"a":"a","b":"a"}',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":2}]',
    '{"a":"\\"a\\":","b":["a","a"]}',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":"}","b":"{","c":1}',
    '{"toString":1,"constructor":2}',
  ])('is not found where there is none: %s', (json) => {
    JSON.parse(json);
    expect(doubledKey(json)).toBeUndefined();
  });

  it('takes time by the length alone', () => {
    const started = performance.now();
    expect(doubledKey(`{"a":"${'\\\\'.repeat(2 ** 20)}","b":"${'\\"'.repeat(2 ** 20)}"}`)).toBeUndefined();
    expect(doubledKey(`${'{"a":'.repeat(2 ** 16)}1${'}'.repeat(2 ** 16)}`)).toBeUndefined();
    expect(doubledKey(`{"a":[${'"",'.repeat(2 ** 20)}""${' '.repeat(2 ** 20)}]}`)).toBeUndefined();
    // Some hundred milliseconds; by the square of the length it would be minutes.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
