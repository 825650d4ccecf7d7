/** The sizes of vision towers and spatial sources that the arithmetic is counted from. */
import type { WeightFileInfo } from '../addon/native.js';
import { CraneError } from '../errors.js';
import type { TowerSizes } from '../methods/operation-counts.js';
import { sizesOf, type VisionKind, visionKindOf } from '../models/weights/sizes.js';
import type { Size } from '../options/types.js';
import { type SourceSizes, towerSource } from './operations.js';
import { samSizes } from './sam-work.js';

/** What the engine knows of a spatial source. */
interface SourceFacts {
  width: number;
  layers: number;
  registers: number;
}

type CountedSource = (file: WeightFileInfo, known: () => TowerSizes) => SourceSizes | undefined;

/** One row for each build of a tower: an unknown one must not be counted as another. */
const counted: Record<VisionKind, CountedSource> = {
  vit: (_, known) => towerSource(known()),
  sam: samSizes,
};

/** @throws CraneError E_METHOD for a file whose build is not known */
export function sourceSizes(
  file: WeightFileInfo,
  facts: SourceFacts,
  input: Size,
  patch: number,
): SourceSizes {
  const kind = visionKindOf(file);
  const known = () => ({ ...towerSizes(facts, [file], input, patch), registers: facts.registers });
  const sizes = kind && counted[kind](file, known);
  if (sizes) return sizes;
  throw new CraneError(
    'E_METHOD',
    `the arithmetic of the spatial source is not counted: its file has the naming "${file.naming}"`,
    {
      hint: 'a new naming is a row of src/models/weights/sizes.ts, a new build one of src/bench/source-work.ts',
    },
  );
}

/** What the engine knows comes from it; MLP, patch and registers from the shapes in the files. */
export function towerSizes(
  { width, layers }: { width: number; layers: number },
  files: readonly WeightFileInfo[],
  input: Size,
  knownPatch: number,
): TowerSizes {
  const stored = files.map((file) => sizesOf(file).vision).find((sizes) => sizes?.width === width);
  const patch = stored?.patch ?? knownPatch;
  return {
    width,
    layers,
    mlp: stored?.mlp || 4 * width,
    patch,
    registers: stored?.registers ?? 0,
    patches: Math.floor(input.width / patch) * Math.floor(input.height / patch),
  };
}
