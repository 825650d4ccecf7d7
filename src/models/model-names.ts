/** Names of the models that can be made here; the models themselves are more to load. */

export type CraneKind = 'crane' | 'crane+';

/** Spatial sources of D-Attn (method.md 4): DINOv2 with registers, DINO ViT-B/8, SAM's image encoder. */
export type SourceKind = 'dinov2' | 'dino' | 'sam';

/** Crane, and Crane+ with each of the paper's spatial sources: the names of models that `weights pull|synth` make. */
export const craneVariants = {
  crane: { kind: 'crane', source: null },
  'crane+': { kind: 'crane+', source: 'dinov2' },
  'crane+dino': { kind: 'crane+', source: 'dino' },
  'crane+sam': { kind: 'crane+', source: 'sam' },
} as const satisfies Record<string, { kind: CraneKind; source: SourceKind | null }>;

export type CraneVariant = keyof typeof craneVariants;

export const craneVariantNames = Object.keys(craneVariants) as CraneVariant[];

export function isCraneVariant(name: string): name is CraneVariant {
  return Object.hasOwn(craneVariants, name);
}

/** Compared systems that need no learning, and so are models by themselves; AnoVL runs on WinCLIP's. */
export const systemModels = ['winclip'] as const;
export type SystemModel = (typeof systemModels)[number];

/** What `weights synth` makes as a folder of full size. */
export type SyntheticModel = CraneVariant | SystemModel;
export const syntheticModels: readonly SyntheticModel[] = [...craneVariantNames, ...systemModels];

export function isSyntheticModel(name: string): name is SyntheticModel {
  return syntheticModels.some((each) => each === name);
}

/** Compared systems of which `weights synth` makes what they learn, for Crane's towers. */
export const learnedParts = ['adaclip', 'anomalyclip', 'vand'] as const;
export type LearnedPart = (typeof learnedParts)[number];

export function isLearnedPart(name: string): name is LearnedPart {
  return learnedParts.some((each) => each === name);
}

export const toyBackboneName = 'toy-backbone';
