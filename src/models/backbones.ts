/**
 * The CLIP backbones that methods stand on. A weight file says every size itself; what stands here is what it cannot tell:
 * the activation its authors learned it with, the constants of its input, and the sizes that stand-ins are made with.
 * A new backbone is a row here, its address in weights/addresses.ts and, where its tensors have names of their own, a
 * family in native/weights/families.
 */
import type { TextConfig, TowerConfig } from '../addon/native.js';

export interface VisionSizes {
  width: number;
  layers: number;
  patch: number;
  /** side of the stored position table */
  grid: number;
}

export interface ClipSizes {
  vision: VisionSizes;
  text: { width: number; layers: number; context: number; vocabulary: number };
  /** width of the space that pictures and texts share */
  joint: number;
}

export interface Backbone {
  what: string;
  sizes: ClipSizes;
  activation: TowerConfig['activation'];
  /** side of the pictures it was learned on, in pixels: patch x grid */
  side: number;
}

/** By the name under which `weights pull` finds the file. */
export const backbones = {
  'ViT-L-14-336px': {
    what: 'CLIP ViT-L/14@336',
    sizes: {
      vision: { width: 1024, layers: 24, patch: 14, grid: 24 },
      text: { width: 768, layers: 12, context: 77, vocabulary: 49408 },
      joint: 768,
    },
    activation: 'quick-gelu',
    side: 336,
  },
  'ViT-B-16-plus-240': {
    what: 'CLIP ViT-B/16-plus@240 of open_clip',
    sizes: {
      vision: { width: 896, layers: 12, patch: 16, grid: 15 },
      text: { width: 640, layers: 12, context: 77, vocabulary: 49408 },
      joint: 640,
    },
    activation: 'gelu',
    side: 240,
  },
} as const satisfies Record<string, Backbone>;

export type BackboneName = keyof typeof backbones;

export const backboneNames = Object.keys(backbones) as BackboneName[];

export function isBackboneName(name: string): name is BackboneName {
  return Object.hasOwn(backbones, name);
}

/** Both towers of CLIP as one system runs them. */
export interface ClipTowers {
  /** where a system departs from the backbone's own: AdaCLIP and VAND run OpenAI's weights with the exact GELU */
  activation: TowerConfig['activation'];
  positions: TowerConfig['positionInterpolation']['kind'];
}

/** OpenAI's constants of the input, which open_clip kept. */
export function clipTowers({ activation, positions }: ClipTowers): { vision: TowerConfig; text: TextConfig } {
  return {
    vision: {
      activation,
      layerNormEps: 1e-5,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
      positionInterpolation: { kind: positions, offset: 0 },
      blocks: 0,
    },
    text: { activation, layerNormEps: 1e-5 },
  };
}
