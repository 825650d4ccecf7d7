#!/usr/bin/env node
/** Entry of the command line: joins runCli to this process, its streams and its signals. */
import { createRequire } from 'node:module';
import type { Context } from './context.js';
import { oldNode } from './old-node.js';
import { OutputFault } from './output-fault.js';

const { version, engines } = createRequire(import.meta.url)('../../package.json') as {
  version: string;
  engines: { node: string };
};

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) {
      // The second one ends the process whatever it is doing.
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
      return;
    }
    stop.abort();
    process.stderr.write('\ncrane-native: finishing what has begun; once more to stop at once\n');
  });
}

const outputFault = new OutputFault();
// What is in work is finished and saved, and nothing new begins.
const onLost = () => stop.abort();
outputFault.watch(process.stdout, 'standard output', {
  onGone: () => outputFault.readerIsGone() && onLost(),
  onLost,
});
// Words about the work: it does not end with whoever collected them.
outputFault.watch(process.stderr, 'standard error', { onGone: () => {}, onLost: () => {} });

const context: Context = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  isTerminal: {
    stdout: process.stdout.isTTY === true,
    stderr: process.stderr.isTTY === true,
    columns: process.stdout.columns || 100,
  },
  loadAddon: async () => (await import('../addon/load-addon.js')).loadAddon(),
  stop: stop.signal,
  outputFault,
  onHangUp: (callback) => {
    process.on('SIGHUP', callback);
    return () => process.off('SIGHUP', callback);
  },
};

const loaded = await import('./run-cli.js').catch((thrown: unknown) => {
  const problem = oldNode(process.versions.node, engines.node);
  if (problem === undefined) throw thrown;
  process.stderr.write(`crane-native: ${problem} [E_DEPENDENCY]\n`);
  return undefined;
});
process.exitCode = loaded ? await loaded.runCli(process.argv.slice(2), context, version) : 5;
