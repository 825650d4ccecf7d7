import { describe, expect, it } from 'vitest';
import {
  type CaseSettings,
  compatOf,
  guidanceOf,
  methodOf,
  promptIds,
} from '../../parity/models/settings.js';
import { imageTensor, normalise } from '../../parity/models/toy-images.js';

const settings: CaseSettings = {
  vfm: 'dinov2',
  features_list: [24],
  soft_mean: false,
  attn_type: 'qq+kk+vv',
  both_eattn_dattn: false,
  use_scorebase_pooling: false,
  image_size: 84,
  context_guidance: 'pad_suffix',
  images: [0],
};

describe('settings of a case', () => {
  it('become the method', () => {
    expect(methodOf(settings)).toMatchObject({
      eAttn: 'qq+kk+vv',
      features: [24],
      softMean: false,
      dAttn: true,
      maps: 'dattn',
      dAttnBeta: 1.2,
      fusion: false,
      guidanceAtTest: 'pad-suffix',
      compat: { batchMean: false, emptyRows: 'self', dAttnLayers: [], halfDeepTokens: true },
    });
    expect(methodOf({ ...settings, vfm: 'none' })['dAttn']).toBe(false);
    expect(methodOf({ ...settings, vfm: 'sam' })['dAttnBeta']).toBe(1.08);
  });

  it('are refused when unknown', () => {
    expect(() => methodOf({ ...settings, attn_type: 'qk' })).toThrow('attn_type');
    expect(() => guidanceOf('suffix')).toThrow('context_guidance');
    expect(guidanceOf('off')).toBe('none');
  });

  it('switch on what the reference does differently, and only that', () => {
    expect(compatOf(settings, false)).toEqual({});
    expect(compatOf({ ...settings, images: [0, 1] }, false)).toEqual({ batchMean: true });
    expect(compatOf({ ...settings, features_list: [6, 24] }, false)).toEqual({ dAttnLayers: [6, 24] });
    expect(compatOf(settings, true)).toEqual({ emptyRows: 'nan' });
    expect(compatOf({ ...settings, vfm: 'none', images: [0, 1], features_list: [6, 24] }, false)).toEqual({});
  });
});

describe('prompt ids', () => {
  it('hold one X for each context row', () => {
    const { normalIds, anomalousIds } = promptIds(2);
    expect(Array.from(normalIds.subarray(0, 7))).toEqual([49406, 343, 343, 14115, 269, 49407, 0]);
    expect(Array.from(anomalousIds.subarray(0, 8))).toEqual([49406, 343, 343, 13568, 14115, 269, 49407, 0]);
    expect(normalIds.length).toBe(77);
  });
});

describe('images of a case', () => {
  it('are found by their three kinds of names', () => {
    expect(imageTensor(2, 98)).toEqual({ key: 'images_u8_98', index: 2 });
    expect(imageTensor('140 px image 1', 140)).toEqual({ key: 'images_u8_140', index: 1 });
    expect(imageTensor('archive image', 70)).toEqual({ key: 'archive_image_u8_70', index: 0 });
    expect(() => imageTensor('first', 84)).toThrow('first');
  });

  it('are normalised plane by plane in float32', () => {
    const planes = normalise([0, 128, 255, 255, 128, 0], 2, 1);
    const { fround } = Math;
    const red = (u8: number) => fround(fround(fround(u8 / 255) - fround(0.48145466)) / fround(0.26862954));
    expect(Array.from(planes.subarray(0, 2))).toEqual([red(0), red(255)]);
    expect(planes[2]).toBe(planes[3]);
  });
});
