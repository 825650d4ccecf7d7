/** No command opens a connection that nobody asked for: every call of the network is seen by strace. */
import { spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { inScratch, root, run } from '../cli/crane-native.js';
import { commands, makePlace, makeSurroundings } from './commands.js';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
if (!hasStrace) console.log('not tried: whether a command opens a connection (strace is missing)');

/** Calls that reach for another machine; sockets of this machine's own file system are none. */
async function reachingCalls(args: string[], scratch: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const log = join(scratch, 'network');
  const traced = [
    '-f',
    '-qq',
    '-e',
    'trace=connect,bind,sendto,sendmsg,sendmmsg',
    '-o',
    log,
    process.execPath,
  ];
  const done = await run('strace', [...traced, ...args], { env });
  expect({ args, ...done }).toMatchObject({ code: 0 });
  const calls = (await readFile(log, 'utf8')).split('\n');
  await rm(log);
  return calls.filter((call) => /AF_INET|sin6?_port/.test(call));
}

it.runIf(hasStrace)(
  'import, score, train, test and normals reach for no other machine',
  async () => {
    await inScratch(async (scratch) => {
      const around = await makeSurroundings(scratch);
      const reaches = (args: string[]) => reachingCalls(args, scratch, around.env);
      // A program that does is found out.
      const planted = `require('node:net').connect(9, '127.0.0.1').on('error', () => {})`;
      expect(await reaches(['-e', planted])).not.toEqual([]);
      const entry = JSON.stringify(pathToFileURL(join(root, 'dist', 'index.js')).href);
      expect(await reaches(['--input-type=module', '-e', `await import(${entry})`])).toEqual([]);
      for (const command of commands) {
        const place = await makePlace(command, around, command.name);
        const cli = join(root, 'dist', 'cli', 'main.js');
        expect(await reaches([cli, ...command.args(around, place)]), command.name).toEqual([]);
      }
    });
  },
  600_000,
);
