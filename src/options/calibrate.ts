/** The part of THE table (table.ts) that belongs to calibration: `calibrate` in shell and library. */
import { flag, type LibraryCall, num, type OptionSpec } from './kinds.js';
import type { CalibrateCommandOptions } from './types.js';

const cli = ['cli'] as const;
const local = ['cli', 'library'] as const;
const calls: readonly LibraryCall[] = ['calibrate'];

export const calibrateCommandOptions = {
  normalOnly: flag({
    group: 'Calibration',
    scope: local,
    calls,
    default: false,
    help: 'choose from normal pictures alone, by the false-alarm rate; else by the best F1 of labelled pictures',
  }),
  falseAlarmRate: num({
    group: 'Calibration',
    scope: ['cli', 'library', 'http'],
    calls: ['calibrate', 'score', 'scoreMany'],
    min: 0,
    max: 1,
    open: true,
    default: 0.01,
    help: 'with --normal-only, or of score with --normals: how often at most a normal picture is called anomalous',
  }),
  write: flag({
    group: 'Calibration',
    scope: cli,
    default: false,
    help: 'keep the thresholds with the model; where that is not yours to change, in a file beside your settings',
  }),
} satisfies { readonly [K in keyof CalibrateCommandOptions]: OptionSpec<CalibrateCommandOptions[K]> };
