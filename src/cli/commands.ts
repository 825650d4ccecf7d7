/** All commands. A command of its own room exports a yargs module; adding one is one line here. */
import type { CommandModule } from 'yargs';
import { benchCommand } from './bench.js';
import { buildCommand } from './build.js';
import { calibrateCommand } from './calibrate.js';
import type { Context } from './context.js';
import { dataCommand } from './data.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { mergeCommand } from './merge.js';
import { methodsCommand } from './methods.js';
import { normalsCommand } from './normals.js';
import { scoreCommand } from './score.js';
import { serveCommand } from './serve.js';
import { testCommand } from './test.js';
import { trainCommand } from './train.js';
import { watchCommand } from './watch.js';
import { weightsCommand } from './weights.js';

export function allCommands(context: Context): CommandModule[] {
  return [
    scoreCommand(context),
    mergeCommand(context),
    demoCommand(context),
    serveCommand(context),
    watchCommand(context),
    trainCommand(context),
    testCommand(context),
    calibrateCommand(context),
    normalsCommand(context),
    benchCommand(context),
    doctorCommand(context),
    weightsCommand(context),
    methodsCommand(context),
    dataCommand(context),
    buildCommand,
  ];
}
