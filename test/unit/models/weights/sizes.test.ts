import { describe, expect, it } from 'vitest';
import type { WeightFileInfo } from '../../../../src/addon/native.js';
import { backbones } from '../../../../src/models/backbones.js';
import { clipTensors, fullSalts, fullSizes, promptTensors } from '../../../../src/models/weights/recipe.js';
import { sourceRecipes } from '../../../../src/models/weights/recipe-sources.js';
import { sizesOf } from '../../../../src/models/weights/sizes.js';

function info(naming: string, tensors: { name: string; shape: number[] }[]): WeightFileInfo {
  return {
    container: 'safetensors',
    naming,
    prefix: '',
    beside: 0,
    files: [],
    metadata: {},
    tensors: tensors.map(({ name, shape }) => ({ name, shape, dtype: 'f32', bytes: 0 })),
  };
}

describe('sizes read from tensors', () => {
  it("OpenAI's CLIP", () => {
    expect(sizesOf(info('openai-clip', clipTensors(fullSizes.clip, fullSalts.clip)))).toEqual({
      vision: { width: 1024, layers: 24, heads: 16, patch: 14, grid: 24, registers: 0, mlp: 4096 },
      text: { width: 768, layers: 12, heads: 12, context: 77, vocabulary: 49408, mlp: 3072 },
      jointWidth: 768,
      values: 427_944_193,
    });
  });

  it("open_clip's CLIP, also from a training run", () => {
    const tensors = clipTensors(backbones['ViT-B-16-plus-240'].sizes, 'any');
    const sizes = {
      vision: { width: 896, layers: 12, heads: 14, patch: 16, grid: 15, registers: 0, mlp: 3584 },
      text: { width: 640, layers: 12, heads: 10, context: 77, vocabulary: 49408, mlp: 2560 },
      jointWidth: 640,
    };
    expect(sizesOf(info('openai-clip', tensors))).toMatchObject(sizes);
    const wrapped = tensors.map(({ name, shape }) => ({ name: `module.${name}`, shape }));
    expect(sizesOf(info('open-clip', wrapped))).toMatchObject(sizes);
  });

  it('DINOv2, also with a prefix before every name', () => {
    const { tensors: recipe, salt } = sourceRecipes.dinov2;
    const tensors = recipe(salt);
    const vision = { width: 768, layers: 12, heads: 12, patch: 14, grid: 37, registers: 4, mlp: 3072 };
    expect(sizesOf(info('dinov2', tensors))).toEqual({ vision, values: 86_583_552 });
    const prefixed = tensors.map(({ name, shape }) => ({ name: `module.${name}`, shape }));
    expect(sizesOf(info('dinov2', prefixed)).vision).toEqual(vision);
  });

  it("DINO and SAM's image encoder, as they are published", () => {
    const of = (kind: 'dino' | 'sam', naming: string) => {
      const { tensors, salt } = sourceRecipes[kind];
      return sizesOf(info(naming, tensors(salt))).vision;
    };
    expect(of('dino', 'dinov2')).toMatchObject({ width: 768, layers: 12, patch: 8, grid: 28, registers: 0 });
    expect(of('sam', 'sam')).toMatchObject({ width: 768, layers: 12, patch: 16, grid: 64 });
  });

  it('a file that names more blocks than a call has arguments', () => {
    const { tensors, salt } = sourceRecipes.dinov2;
    const more = Array.from({ length: 200_000 }, (_, at) => ({ name: `blocks.${at}.more`, shape: [1] }));
    expect(sizesOf(info('dinov2', [...tensors(salt), ...more])).vision).toMatchObject({ layers: 200_000 });
  });

  it('prompts', () => {
    const tensors = promptTensors(fullSizes.prompts, fullSalts.prompts);
    expect(sizesOf(info('prompts', tensors)).prompts).toEqual({
      width: 768,
      context: 12,
      deepSets: 8,
      deepTokens: 4,
    });
  });

  it("transformers' CLIP, whose projections are transposed", () => {
    const sizes = sizesOf(
      info('hf-clip', [
        { name: 'vision_model.embeddings.patch_embedding.weight', shape: [768, 3, 32, 32] },
        { name: 'vision_model.embeddings.position_embedding.weight', shape: [50, 768] },
        { name: 'vision_model.encoder.layers.11.mlp.fc1.weight', shape: [3072, 768] },
        { name: 'vision_model.encoder.layers.0.mlp.fc1.weight', shape: [3072, 768] },
        { name: 'visual_projection.weight', shape: [512, 768] },
      ]),
    );
    expect(sizes.vision).toEqual({
      width: 768,
      layers: 12,
      heads: 12,
      patch: 32,
      grid: 7,
      registers: 0,
      mlp: 3072,
    });
    expect(sizes.jointWidth).toBe(512);
  });

  it('SAM, whose position table is a grid', () => {
    const sizes = sizesOf(
      info('sam', [
        { name: 'image_encoder.patch_embed.proj.weight', shape: [768, 3, 16, 16] },
        { name: 'image_encoder.pos_embed', shape: [1, 64, 64, 768] },
        { name: 'image_encoder.blocks.0.mlp.lin1.weight', shape: [3072, 768] },
      ]),
    );
    expect(sizes.vision).toMatchObject({ patch: 16, grid: 64, layers: 1, mlp: 3072 });
  });

  it('of unknown names only the number of values is told', () => {
    expect(sizesOf(info('', [{ name: 'conv.weight', shape: [2, 3] }]))).toEqual({ values: 6 });
  });
});
