// A process that runs commands one after another, so that the modules and the tensor library are loaded once for all of a test file.
// Each command is runCli of dist/ with streams, folder and signal of its own, as dist/cli/main.js gives them. What a process alone
// shows - how it starts, its signals, its streams, its end - is for tests that start one (`alone`).
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { runCli } from '../../dist/cli/run-cli.js';

const { version } = createRequire(import.meta.url)('../../package.json');
/** A command that ends leaves nothing that would keep its process alive, for so long after its end. */
const k_endsWithinMs = 5000;

process.on('disconnect', () => process.exit());
process.on('message', async ({ args, folder }) => {
  const open = openNow();
  process.chdir(folder);
  const [stdout, stderr] = [collector(), collector()];
  // Words of the finder of libtorch, which has no context.
  const write = process.stderr.write;
  process.stderr.write = (text) => stderr.write(text);
  let code = await runCli(args, contextOf(stdout, stderr), version);
  process.stderr.write = write;
  const left = await leftOpen(open);
  if (left !== '') {
    stderr.write(`the command left open what keeps its process from its end: ${left}\n`);
    code = 70;
  }
  process.send({ code, stdout: stdout.text(), stderr: stderr.text() });
});

function contextOf(stdout, stderr) {
  return {
    stdin: [],
    stdout,
    stderr,
    env: process.env,
    isTerminal: { stdout: false, stderr: false, columns: 100 },
    loadAddon,
    stop: new AbortController().signal,
  };
}

function collector() {
  const chunks = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString() });
}

function openNow() {
  return process.getActiveResourcesInfo().toSorted();
}

async function leftOpen(before) {
  for (const until = Date.now() + k_endsWithinMs; ; ) {
    const left = openNow();
    for (const known of before) {
      const at = left.indexOf(known);
      if (at >= 0) left.splice(at, 1);
    }
    if (left.length === 0 || Date.now() > until) return left.join(', ');
    await pause(2, undefined, { ref: false });
  }
}
