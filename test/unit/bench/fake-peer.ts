/** Peers of a few lines of JavaScript, well behaved and not. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { PeerPlan } from '../../../src/bench/peer.js';

/** What a peer does when it is asked: JavaScript statements over `question`, `say(answer)` and `batches` so far. */
export const behaviours = {
  good: `if (question.setup) say(ready); else say({ sample: { seconds: question.run.batch / 4, cpuSeconds: question.run.batch / 8 } });`,
  tells: `if (question.setup) { const { writing, method, activation, positions } = question.setup; ready.ready.title = [writing, method.name, activation, positions].join(' '); say(ready); } else say({ sample: { seconds: 1 } });`,
  hangs: `if (question.setup) say(ready);`,
  neverReady: '',
  dies: `if (question.setup) say(ready); else { console.error('first\\nout of luck'); process.exit(7); }`,
  isKilled: `if (question.setup) say(ready); else process.kill(process.pid, 'SIGSEGV');`,
  babbles: `if (question.setup) say(ready); else console.log('Loading model: 100%');`,
  interrupts: `if (question.setup) { say(ready); setTimeout(() => console.log('by the way'), 20); }`,
  lies: `if (question.setup) say(ready); else say({ sample: { seconds: -1 } });`,
  refuses: `say({ error: { message: 'cannot import torch', hint: 'pip install torch' } });`,
  skipsReady: `say({ sample: { seconds: 1 } });`,
  diesLater: `if (question.setup) say(ready); else if (++batches > 2) process.exit(1); else say({ sample: { seconds: 0.5 } });`,
} as const;
export type Behaviour = keyof typeof behaviours;

function source(behaviour: Behaviour): string {
  return `#!${process.execPath}
const { createInterface } = require('node:readline');
const ready = { ready: { title: 'a fake', versions: { fake: '1.0' }, threads: 1, precision: 'float32', gflop: 10 } };
const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n');
let batches = 0;
createInterface({ input: process.stdin }).on('line', (line) => {
  const question = JSON.parse(line);
  ${behaviours[behaviour]}
});
${behaviour === 'hangs' ? 'setInterval(() => {}, 1000);' : ''}
`;
}

/** A folder with one executable per behaviour, for a whole file of tests. */
export function useFakePeers() {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crane peers ü-'));
    for (const behaviour of Object.keys(behaviours) as Behaviour[]) {
      await writeFile(join(folder, behaviour), source(behaviour));
      await chmod(join(folder, behaviour), 0o755);
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const program = (behaviour: Behaviour) => join(folder, behaviour);
  return {
    folder: () => folder,
    program,
    plan: (behaviour: Behaviour): PeerPlan => ({
      name: behaviour,
      command: { program: program(behaviour), args: [], env: process.env },
      setup: { threads: 1 },
    }),
  };
}
