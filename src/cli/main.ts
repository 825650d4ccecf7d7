#!/usr/bin/env node
/** Entry of the command line: joins runCli to this process, its streams and its signals. */
import { createRequire } from 'node:module';
import type { Context } from './context.js';
import { oldNode } from './old-node.js';

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

// Whoever read our output has gone: that is no error of ours, and nothing more is wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

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
