import { describe, expect, it } from 'vitest';
import { fromTrace } from '../../parity/compare/derive.js';

const stage = (shape: number[], data?: number[]) => ({
  shape,
  data: Float32Array.from(data ?? Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)),
});

describe('fromTrace', () => {
  it('gives a traced stage as it is', () => {
    expect(fromTrace('score', [2], { score: stage([2], [0.25, 0.5]) })?.data).toEqual(
      Float32Array.of(0.25, 0.5),
    );
  });

  it('knows nothing of stages that were not traced', () => {
    expect(fromTrace('score', [2], {})).toBeUndefined();
    expect(fromTrace('map_row3', [2], {})).toBeUndefined();
  });

  it('cuts the first tokens of a block out of both streams', () => {
    const trace = {
      'stage.block05': stage([1, 3, 2]),
      'stage.block06.x_ori': stage([1, 3, 2], [5, 6, 7, 8, 9, 10]),
    };
    const out = fromTrace('block05.out_tokens0to1', [2, 2], trace);
    expect(out).toEqual({ shape: [2, 2], data: Float64Array.of(0, 1, 2, 3) });
    expect(fromTrace('block06.x_ori_tokens0to0', [1, 2], trace)?.data).toEqual(Float64Array.of(5, 6));
    expect(fromTrace('block06.x_tokens0to0', [1, 2], trace)).toBeUndefined();
  });

  it('spreads a sample of patches over the first map', () => {
    const trace = { patch_norm: stage([2, 1, 5, 1]) };
    expect(fromTrace('patch_norm_3', [1, 1, 3, 1], trace)).toEqual({
      shape: [1, 1, 3, 1],
      data: Float64Array.of(0, 2, 4),
    });
    expect(fromTrace('patch_norm_every2', [2, 1, 3, 1], trace)?.data).toEqual(
      Float64Array.of(0, 2, 4, 5, 7, 9),
    );
  });

  it('averages cells, picks rows and summarises maps', () => {
    const trace = { map: stage([1, 2, 4], [1, 3, 0, 0, 5, 7, 0, 2]) };
    expect(fromTrace('map_cell_mean_1x2', [1, 2], trace)).toEqual({
      shape: [1, 2],
      data: Float64Array.of(4, 0.5),
    });
    expect(fromTrace('map_row1', [4], trace)?.data).toEqual(Float64Array.of(5, 7, 0, 2));
    const [low, high, mean, deviation] = Array.from(
      fromTrace('map_stats_min_max_mean_std', [4], trace)!.data,
    );
    expect([low, high, mean]).toEqual([0, 7, 2.25]);
    expect(deviation).toBeCloseTo(Math.sqrt(5.9375), 12);
  });

  it('reads source features channel by channel', () => {
    const trace = { 'stage.vfm.features': stage([1, 2, 2, 2]) };
    expect(fromTrace('vfm_features_patches_every3', [2, 2], trace)).toEqual({
      shape: [2, 2],
      data: Float64Array.of(0, 4, 3, 7),
    });
    expect(fromTrace('stage.vfm.features_every2', [1, 2, 1, 1], trace)?.data).toEqual(Float64Array.of(0, 4));
    expect(fromTrace('stage.vfm.features_sum_float64', [1], trace)?.data).toEqual([28]);
  });

  it('counts what the mask kept', () => {
    const low = Number.NEGATIVE_INFINITY;
    const trace = { 'stage.dattn.masked': stage([1, 2, 3], [0, low, 1, low, low, low]) };
    expect(fromTrace('kept_per_row', [2], trace)).toEqual({ shape: [2], data: Float64Array.of(2, 0) });
  });

  it('keeps the first image of prompts where the fixture does', () => {
    const trace = { 'pad_prefix.prompts_first1': stage([2, 2, 1, 1], [1, 2, 3, 4]) };
    expect(fromTrace('pad_prefix.prompts_first1', [2, 1, 1, 1], trace)?.data).toEqual(Float64Array.of(1, 3));
    expect(fromTrace('pad_prefix.prompts_first1', [2, 2, 1, 1], trace)?.data).toEqual(
      Float32Array.of(1, 2, 3, 4),
    );
  });

  it('cuts the first rows of a longer stage', () => {
    const trace = { 'static.block01': stage([1, 3, 2]) };
    expect(fromTrace('static.block01_first2', [1, 2, 2], trace)?.data).toEqual(Float64Array.of(0, 1, 2, 3));
  });
});
