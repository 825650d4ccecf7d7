/** All commands. A command of its own room exports a yargs module; adding one is one line here. */
import type { CommandModule } from 'yargs';
import { buildCommand } from './build.js';
import type { Context } from './context.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { scoreCommand } from './score.js';
import { weightsCommand } from './weights.js';

export function allCommands(context: Context): CommandModule[] {
  return [
    scoreCommand(context),
    demoCommand(context),
    doctorCommand(context),
    weightsCommand(context),
    buildCommand as unknown as CommandModule,
  ];
}
