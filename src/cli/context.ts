/** What commands may touch of the process: handed in, so that tests can stand in for all of it. */

import type { Writable } from 'node:stream';
import type { NativeAddon } from '../addon/native.js';
import type { LockWait } from '../files/folder-lock.js';
import type { EngineOptions } from '../options/types.js';
import { type Paint, painter } from '../terminal/paint.js';
import { visible, visibleJson, visibleLines } from '../terminal/visible.js';
import type { OutputFault } from './output-fault.js';

/** The native engine, and where it and its libtorch were found. */
export interface CommandAddon {
  addon: NativeAddon;
  folder?: string;
  libtorch?: { torchRoot: string; through: string };
}

export interface Context {
  stdin: AsyncIterable<Uint8Array | string>;
  stdout: Writable;
  stderr: Writable;
  env: NodeJS.ProcessEnv;
  /** stdout, stderr is a terminal; its width */
  isTerminal: { stdout: boolean; stderr: boolean; columns: number };
  loadAddon(): Promise<CommandAddon>;
  /** fires at the first Ctrl-C */
  stop: AbortSignal;
  /** what became of stdout */
  outputFault?: OutputFault;
  /** calls back at every SIGHUP; returns what takes it back */
  onHangUp?(callback: () => void): () => void;
}

export function hasColour(context: Context): boolean {
  return context.isTerminal.stdout && !context.env['NO_COLOR'];
}

export function paintOf(context: Context): Paint {
  return painter(hasColour(context));
}

/** For openEngine: its warnings, on a line of their own above the progress bar. */
export function warningsTo(context: Context): Pick<EngineOptions, 'onWarning'> {
  const newLine = context.isTerminal.stderr ? '\r\x1b[K' : '';
  return { onWarning: ({ message }) => sayPainted(context, `${newLine}${visible(message)}`) };
}

/** For a wait for another process: it is told on a line, and the first signal ends it. */
export function waitingIn(context: Context): LockWait {
  return { log: (line) => say(context, line), signal: context.stop };
}

/** One line on stderr: nothing in it, such as the name of a file, steers the terminal. */
export function say(context: Context, text: string): void {
  context.stderr.write(`${visible(text)}\n`);
}

/** The same where lines are meant; what is named in them was made visible where it may hold a line break. */
export function sayLines(context: Context, text: string): void {
  context.stderr.write(`${visibleLines(text)}\n`);
}

/** What has colours of ours, of parts that were made visible. */
export function sayPainted(context: Context, text: string): void {
  context.stderr.write(`${text}\n`);
}

/** For programs. */
export function sayJson(context: Context, value: unknown): void {
  context.stderr.write(`${visibleJson(value)}\n`);
}

/** Where something lies, on stdout: as it is for programs, as it may be shown for people. */
export function printPath(context: Context, path: string): void {
  context.stdout.write(`${context.isTerminal.stdout ? visible(path) : path}\n`);
}
