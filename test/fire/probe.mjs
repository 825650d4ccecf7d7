// What a process holds, told after JavaScript has given up what it may. Under allocations.cpp and node --expose-gc; imported before a
// program (--import) it answers SIGUSR2 with a file CRANE_FIRE_FOLDER/<pid>.json. CRANE_FIRE_PLANT=native|heap loses 64 bytes with
// each request that the process answers, as `lose` does.
import { subscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.CRANE_FIRE_FOLDER;
const lost = [];

/** The planted bug: 64 bytes. */
export function lose() {
  if (process.env.CRANE_FIRE_PLANT === 'native') renameSync('/crane-fire/lose', '/');
  if (process.env.CRANE_FIRE_PLANT === 'heap') lost.push(new Array(6).fill(0));
}

/** Bytes that shared libraries hold, that node's own code holds, that JavaScript holds; files and threads. */
export async function held() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  globalThis.gc();
  const file = join(folder, `${process.pid}.memory`);
  renameSync('/crane-fire/memory', file);
  const [node, native] = readFileSync(file, 'utf8').split(' ').map(Number);
  return {
    native,
    heap: process.memoryUsage().heapUsed,
    node,
    files: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  };
}

if (isMainThread && process.env.CRANE_FIRE_SERVES) {
  subscribe('http.server.request.start', lose);
  process.on('SIGUSR2', async () => {
    const file = join(folder, `${process.pid}.json`);
    writeFileSync(`${file}.new`, JSON.stringify(await held()));
    renameSync(`${file}.new`, file);
  });
}
