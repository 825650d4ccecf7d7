/** All that decides the figures of a test, readable. Going on with anything else would mix figures of two tests. */
import { CraneError } from '../errors.js';
import { type Model, modelFile } from '../models/model-json.js';
import { canonicalJson } from './canonical-json.js';
import type { DataIdentity } from './data-identity.js';
import { differences } from './differences.js';
import type { Machine } from './machine.js';
import type { TestSettings } from './test-run.js';
import { weightHash } from './weight-hashes.js';

export interface TestFingerprint {
  format: 1;
  versions: Record<string, string>;
  machine: Machine;
  /** sha256 of the weight files as they are */
  weights: string[];
  towers: unknown;
  settings: Omit<TestSettings, 'model'>;
  /** where scores depend on it (compat.batchMean) */
  batch: 'auto' | number | null;
  keepMaps: boolean;
  /** a panel of every picture was drawn: what is finished has them */
  panels?: true;
  comparePaper: boolean;
  data: DataIdentity[];
}

/** @param cacheFolder where hashes of large files are remembered */
export async function weightsOf(
  model: Model,
  hasSource: boolean,
  cacheFolder: string,
): Promise<{ weights: string[]; towers: unknown }> {
  const { vision, text, recipes = null, source } = model;
  const files = [...model.weights, ...(hasSource && source ? [source.weights] : [])];
  const weights: string[] = [];
  for (const { file } of files) weights.push(await weightHash(modelFile(model, file), cacheFolder));
  const towers = { vision, text, recipes, source: hasSource && source ? source.tower : null };
  return { weights, towers };
}

/** @throws CraneError E_TEST_RESUME, naming what differs */
export function checkSame(now: TestFingerprint, before: unknown, folder: string): void {
  const differing = differences(JSON.parse(canonicalJson(now)), before);
  if (differing.length === 0) return;
  const rest = differing.length > 5 ? ` and ${differing.length - 5} more` : '';
  throw new CraneError(
    'E_TEST_RESUME',
    `${folder}: the test there is another one: ${differing.slice(0, 5).join('; ')}${rest}`,
    {
      hint: 'go on with the same settings, weights and data; start anew with --force; or choose another --out',
    },
  );
}
