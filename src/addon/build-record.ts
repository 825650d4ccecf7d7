/** The record beside the engine addon: what it was built from and needs, readable without opening the addon. */
import { readFileSync } from 'node:fs';
import { CraneError } from '../errors.js';
import { rebuildCommand } from '../files/package-root.js';

export interface BuildRecord {
  /** version of crane-native */
  version: string;
  libtorch: string;
  /** ELF build id of the libtorch_cpu compiled against; '' where the platform has none */
  libtorchBuildId: string;
  cuda: boolean;
  /** Node-API level */
  napi: number;
  /** oldest glibc that has every symbol the addon asks for; absent where glibc is not the C library */
  glibc?: string;
  /** the libtorch found at build time; absent in a prebuilt addon, whose user has another machine */
  libtorchRoot?: string;
}

export const engineFile = 'crane_engine.node';
export const loaderFile = 'crane_loader.node';
export const recordFile = 'crane_engine.json';

/** Throws E_ADDON_LOAD when the record is absent or not one. */
export function readBuildRecord(path: string): BuildRecord {
  let value: Partial<BuildRecord>;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as Partial<BuildRecord>;
  } catch (cause) {
    throw new CraneError('E_ADDON_LOAD', `${path}: the build record cannot be read`, {
      hint: `build again: ${rebuildCommand()}`,
      cause,
    });
  }
  const complete =
    typeof value.version === 'string' &&
    typeof value.libtorch === 'string' &&
    typeof value.libtorchBuildId === 'string' &&
    typeof value.cuda === 'boolean' &&
    typeof value.napi === 'number';
  if (!complete)
    throw new CraneError('E_ADDON_LOAD', `${path}: the build record is not complete`, {
      hint: `build again: ${rebuildCommand()}`,
    });
  return value as BuildRecord;
}
