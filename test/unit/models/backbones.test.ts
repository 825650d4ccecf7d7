import { describe, expect, it } from 'vitest';
import { backboneNames, type ClipTowers, clipTowers, isBackboneName } from '../../../src/models/backbones.js';
import { parseModelJson } from '../../../src/models/model-json.js';
import { toyModelJson } from '../engine/toy-model.js';

describe('backbones', () => {
  it('are known by the names of their published files', () => {
    expect(backboneNames).toEqual(['ViT-L-14-336px', 'ViT-B-16-plus-240']);
    expect(isBackboneName('ViT-B-16-plus-240')).toBe(true);
    expect(isBackboneName('toString')).toBe(false);
  });

  // as the systems of the paper run them
  it.each<ClipTowers>([
    { activation: 'quick-gelu', positions: 'bilinear' },
    { activation: 'gelu', positions: 'bicubic' },
    { activation: 'gelu', positions: 'bicubic-antialias' },
    { activation: 'gelu', positions: 'none' },
  ])('make towers of a model.json: %j', (how) => {
    const { vision, text } = clipTowers(how);
    const read = parseModelJson(JSON.stringify({ ...toyModelJson, vision, text }), 'x/model.json');
    expect([read.vision, read.text]).toEqual([vision, text]);
    expect([vision.activation, text.activation]).toEqual([how.activation, how.activation]);
    expect(vision.positionInterpolation).toEqual({ kind: how.positions, offset: 0 });
  });

  it('may have heads of another width than 64', () => {
    const towers = clipTowers({ activation: 'gelu', positions: 'none' });
    const given = {
      ...toyModelJson,
      vision: { ...towers.vision, heads: 4 },
      text: { ...towers.text, heads: 2 },
    };
    const read = parseModelJson(JSON.stringify(given), 'x/model.json');
    expect([read.vision.heads, read.text.heads]).toEqual([4, 2]);
    given.text.heads = 0;
    expect(() => parseModelJson(JSON.stringify(given), 'x/model.json')).toThrow(/text\.heads/);
  });
});
