/** That a command in a process that has run others is the command: what it says, its exit code, and how it ends. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { craneNative, samples } from './crane-native.js';

const good = join(samples, 'bsdata-good-g00.jpg');

it.each([
  [0, ['score', good, '--threads', '1', '--no-timings', '--format', 'jsonl']],
  [3, ['score', good, join(samples, 'none.jpg'), '--threads', '1', '--no-timings']],
  [2, ['scor']],
  [0, ['score', '--help']],
])('ends with %d and says what it says in a process of its own: %j', async (code, args) => {
  const alone = await craneNative(args, { alone: true });
  expect(alone.code).toBe(code);
  expect(await craneNative(args)).toEqual(alone);
});

const preloaded = (program: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}`,
});

it('what keeps a process from its end is found', async () => {
  const program = 'process.chdir = () => { setTimeout(() => {}, 60000) }';
  const { code, stderr } = await craneNative(['--version'], { env: preloaded(program) });
  expect(code).toBe(70);
  expect(stderr).toMatch(/left open .*: Timeout\n$/);
});

it('the end of the process is the answer, and the next command has another process', async () => {
  const env = preloaded("process.chdir = () => process.kill(process.pid, 'SIGKILL')");
  for (const _ of [1, 2])
    expect(await craneNative(['--version'], { env })).toMatchObject({ signal: 'SIGKILL' });
  expect(await craneNative(['--version'])).toMatchObject({ code: 0 });
});
