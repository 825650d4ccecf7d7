import { describe, expect, it } from 'vitest';
import { syntheticFor } from '../../../src/bench/synthetic.js';
import { CraneError } from '../../../src/errors.js';

describe('random weights for a method', () => {
  it.each([
    [undefined, 'crane'],
    ['crane', 'crane'],
    ['winclip', 'winclip'],
    ['anovl', 'winclip'],
    ['vand', 'crane'],
    ['anomalyclip', 'crane'],
    ['adaclip', 'crane'],
  ])('%s runs on the towers of %s', (method, model) => {
    expect(syntheticFor(method)).toBe(model);
  });

  it('an unknown method is told', () => {
    expect(() => syntheticFor('winclipp')).toThrow(CraneError);
  });
});
