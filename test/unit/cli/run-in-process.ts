/** Runs a command line in this process, with a fake engine and streams that the test can read. */
import { Writable } from 'node:stream';
import type { Context } from '../../../src/cli/context.js';
import { runCli } from '../../../src/cli/run-cli.js';
import { type FakeAddon, type FakeBehaviour, makeFakeAddon } from '../engine/fake-addon.js';

export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
  addon: FakeAddon;
  /** stdout as JSON Lines */
  lines: () => Record<string, unknown>[];
}

export interface CliSurroundings extends FakeBehaviour {
  stdin?: (string | Uint8Array)[];
  isTerminal?: Partial<Context['isTerminal']>;
  env?: NodeJS.ProcessEnv;
  stop?: AbortSignal;
  addon?: FakeAddon;
  loadAddon?: Context['loadAddon'];
}

export async function runInProcess(args: string[], surroundings: CliSurroundings = {}): Promise<CliRun> {
  const addon = surroundings.addon ?? makeFakeAddon(surroundings);
  const isTerminal = { stdout: false, stderr: false, columns: 100, ...surroundings.isTerminal };
  const [stdout, stderr] = [new Collector(isTerminal.stdout), new Collector(isTerminal.stderr)];
  const code = await runCli(
    args,
    {
      stdin: toAsync(surroundings.stdin ?? []),
      stdout,
      stderr,
      env: surroundings.env ?? {},
      isTerminal,
      loadAddon: surroundings.loadAddon ?? (async () => ({ addon })),
      stop: surroundings.stop ?? new AbortController().signal,
    },
    '0.1.0',
  );
  const lines = () =>
    stdout.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, stdout: stdout.text, stderr: stderr.text, addon, lines };
}

class Collector extends Writable {
  text = '';
  constructor(readonly isTTY: boolean) {
    super();
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString();
    done();
  }
}

async function* toAsync(parts: (string | Uint8Array)[]) {
  yield* parts;
}
