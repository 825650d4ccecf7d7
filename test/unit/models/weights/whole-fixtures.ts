import { existsSync } from 'node:fs';
import { join } from 'node:path';

const named = process.env['CRANE_PARITY'];

/** The folder that CRANE_PARITY names, if it is the whole: what the repository keeps is a part, without full/ and most prompts. */
export const wholeFixtures = named && existsSync(join(named, 'full', 'index.json')) ? named : undefined;
