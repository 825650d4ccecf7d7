/** The program of a peer that is our own engine: other kernels (CRANE_KERNELS) or another model. Speaks protocol.ts. */
import { createInterface } from 'node:readline';
import { loadAddon } from '../addon/load-addon.js';
import { toCraneError } from '../errors.js';
import { findModel } from '../models/find-model.js';
import type { EngineOptions } from '../options/types.js';
import { openEngineParty } from './engine-party.js';
import type { Party } from './party.js';
import type { PeerAnswer, Question } from './protocol.js';

export interface EngineSetup {
  /** a folder of a model */
  model: string;
  options: EngineOptions;
}

const say = (answer: PeerAnswer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
// Nobody stops a batch that was asked for: the process is ended instead.
const never = new AbortController().signal;
let party: Party | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const question = JSON.parse(line) as Question;
    if ('setup' in question) {
      const { model, options } = question.setup as EngineSetup;
      const { addon } = await loadAddon();
      party = await openEngineParty({ name: 'peer', addon, model: await findModel(model), options });
      say({ ready: party.facts });
    } else {
      say({ sample: await party!.run(question.run.batch, never) });
    }
  } catch (thrown) {
    const { code, message, hint } = toCraneError(thrown);
    say({ error: { message: `${message} [${code}]`, hint } });
  }
}
await party?.close();
