/** Versions of all that a result is made with. */
import { packageVersion } from '../files/package-root.js';
import { sharp } from '../images/sharp.js';
import type { Machine } from './machine.js';

export type Versions = Record<'crane-native' | 'libtorch' | 'node' | 'sharp' | 'libvips', string>;

export function versionsOf({ libtorch }: Pick<Machine, 'libtorch'>): Versions {
  return {
    'crane-native': packageVersion(),
    libtorch,
    node: process.version,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
  };
}
