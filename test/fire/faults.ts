/** Programs under the shim of faults.cpp: killed, refused or without room at the call that is asked for. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type Finished, root, run } from '../cli/crane-native.js';

/** CRANE_FIRE=full asks for the measure of docs/reliability.md; without it a small instance runs. */
export const isFull = process.env['CRANE_FIRE'] === 'full';

export type CallKind = 'write' | 'fsync' | 'rename' | 'open' | 'mmap' | 'alloc' | 'thread';

export const errnos = { EIO: 5, ENOMEM: 12, EAGAIN: 11, ENOSPC: 28, EMFILE: 24 } as const;

export interface Faults {
  /** files below it are watched */
  folder?: string;
  /** files below it are watched when they are mapped; default `folder` */
  mapped?: string;
  calls?: readonly CallKind[];
  at?: number;
  what?: 'kill' | 'SIGINT' | 'SIGTERM' | keyof typeof errnos;
  room?: number;
  log?: string;
}

export interface Shim {
  env(faults: Faults): NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** Compiled where no name has a space: LD_PRELOAD separates by them. */
export async function buildShim(): Promise<Shim> {
  const library = join(await mkdtemp(join(tmpdir(), 'crane-faults-')), 'faults.so');
  const source = join(root, 'test', 'fire', 'faults.cpp');
  execFileSync(process.env['CXX'] ?? 'c++', [
    ...['-std=c++20', '-O1', '-shared', '-fPIC', '-fno-builtin-malloc'],
    ...[source, '-o', library, '-ldl'],
  ]);
  return {
    env: ({ folder, mapped, calls, at, what, room, log }) => ({
      LD_PRELOAD: library,
      ...(folder === undefined ? {} : { CRANE_FIRE_FOLDER: folder }),
      ...(mapped === undefined ? {} : { CRANE_FIRE_MAPPED: mapped }),
      ...(calls === undefined ? {} : { CRANE_FIRE_CALLS: calls.join(',') }),
      ...(at === undefined ? {} : { CRANE_FIRE_AT: String(at) }),
      ...(what === undefined
        ? {}
        : { CRANE_FIRE_DO: what in errnos ? String(errnos[what as keyof typeof errnos]) : what }),
      ...(room === undefined ? {} : { CRANE_FIRE_ROOM: String(room) }),
      ...(log === undefined ? {} : { CRANE_FIRE_LOG: log }),
    }),
    remove: () => rm(dirname(library), { recursive: true }),
  };
}

export function runUnder(args: string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return run(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], { env });
}

/** The calls that a run makes which is left alone, of each kind. */
export async function countCalls(
  shim: Shim,
  args: string[],
  faults: Faults & { calls: readonly CallKind[]; log: string },
  env: NodeJS.ProcessEnv,
): Promise<Map<CallKind, number>> {
  await rm(faults.log, { force: true });
  const finished = await runUnder(args, { ...env, ...shim.env(faults) });
  if (finished.code !== 0) throw new Error(finished.stderr);
  const letters = existsSync(faults.log) ? await readFile(faults.log, 'latin1') : '';
  return new Map(faults.calls.map((kind) => [kind, letters.split(kind[0]!).length - 1]));
}

/** Every file below a folder, by its name in it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

export async function bytesBelow(
  folder: string,
  isCompared: (name: string) => boolean,
): Promise<Record<string, string>> {
  const names = (await filesBelow(folder)).filter(isCompared);
  const read = names.map(async (name) => [name, await readFile(join(folder, name), 'hex')] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** From 0 to below 1, the same ones in every run (a linear congruential generator). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
