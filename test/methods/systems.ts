/** THE list of compared systems; a new one is a file in systems/ and an entry here. */
import type { System } from './system.js';
import { adaclip } from './systems/adaclip.js';
import { anomalyclip } from './systems/anomalyclip.js';
import { anovl } from './systems/anovl.js';
import { vand } from './systems/vand.js';
import { winclip } from './systems/winclip.js';

export const systems: readonly System[] = [adaclip, anomalyclip, anovl, vand, winclip];
