import { describe, expect, it } from 'vitest';
import { craneTexts, describeCrane, toText } from '../../../src/models/crane-models.js';
import { parseModelJson } from '../../../src/models/model-json.js';
import { tokenize } from '../../../src/text/tokenizer.js';

const part = (file: string) => ({ file, sha256: 'a'.repeat(64), bytes: 1 });
const prompts = {
  default: 'x',
  sets: { x: { file: 'x.pth', sha256: 'b'.repeat(64), learnedOn: [], ...craneTexts } },
};
const about = { description: '', licence: 'MIT', weights: part('clip.pt'), prompts };

describe('model.json of the published models', () => {
  it('Crane: four feature layers, soft mean, no D-Attn', () => {
    const model = describeCrane({ kind: 'crane', name: 'crane', ...about });
    expect(model.method).toMatchObject({
      eAttn: 'qq+kk+vv',
      eAttnLayers: 19,
      features: [6, 12, 18, 24],
      softMean: true,
      dAttn: false,
      fusion: true,
      imageScore: 'fused',
      temperature: 0.07,
      sigma: 4,
    });
    expect(model.source).toBeUndefined();
    expect(model.input).toEqual({ width: 518, height: 518 });
    expect(model.vision).toMatchObject({
      activation: 'quick-gelu',
      layerNormEps: 1e-5,
      positionInterpolation: { kind: 'bilinear', offset: 0 },
    });
  });

  it('Crane+: the last layer, D-Attn of 1.2 with DINOv2 in its own normalisation', () => {
    const model = describeCrane({ kind: 'crane+', name: 'crane+', ...about, source: part('dino.pth') });
    expect(model.method).toMatchObject({ features: [24], softMean: false, dAttn: true, dAttnBeta: 1.2 });
    expect(model.source?.tower).toMatchObject({
      activation: 'gelu',
      layerNormEps: 1e-6,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      positionInterpolation: { kind: 'bicubic-antialias', offset: 0 },
    });
  });

  it('Crane+ with another source: its own grid rule, and 1.08 for SAM', () => {
    const source = part('source.pth');
    const of = (sourceKind: 'dino' | 'sam') =>
      describeCrane({ kind: 'crane+', name: `crane+${sourceKind}`, sourceKind, ...about, source });
    expect(of('dino').method['dAttnBeta']).toBe(1.2);
    expect(of('dino').source?.tower.positionInterpolation).toEqual({ kind: 'bicubic', offset: 0.1 });
    expect(of('sam').method['dAttnBeta']).toBe(1.08);
  });

  it('is what the reader of model.json accepts', () => {
    const model = describeCrane({ kind: 'crane', name: 'crane', ...about });
    expect(parseModelJson(toText(model), 'x')).toEqual(model);
  });

  it('Crane+ without its source is refused', () => {
    expect(() => describeCrane({ kind: 'crane+', name: 'crane+', ...about })).toThrow(/"source"/);
  });

  it('has the twelve places for learned vectors in both texts', async () => {
    const ids = async (text: string) => [...(await tokenize(text)).ids].slice(0, 18);
    const x = Array.from({ length: 12 }, () => 343);
    expect(await ids(craneTexts.normal)).toEqual([49406, ...x, 14115, 269, 49407, 0, 0]);
    expect(await ids(craneTexts.anomalous)).toEqual([49406, ...x, 13568, 14115, 269, 49407, 0]);
  });
});
