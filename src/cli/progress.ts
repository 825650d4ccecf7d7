/** The one progress bar: on stderr, only when that is a terminal. */
import { createRequire } from 'node:module';
import type { Context } from './context.js';

export interface Progress {
  /** one more is done */
  step(): void;
  /** the number of all, once it is known */
  total(count: number): void;
  /** begins a new stretch of work, from 0 again */
  stage(name: string, count: number): void;
  /** so many are done, and what else is worth showing */
  at(count: number, detail?: string): void;
  /** of the thing at work, so many of its parts are done */
  part(done: number, total: number): void;
  /** takes the bar off the line, so that others may write */
  clear(): void;
  stop(): void;
}

const load = createRequire(import.meta.url);

const silent: Progress = { step() {}, total() {}, stage() {}, at() {}, part() {}, clear() {}, stop() {} };

export function startProgress({ stderr, isTerminal, env }: Context): Progress {
  if (!isTerminal.stderr) return silent;
  // only where a bar is drawn: most calls draw none
  const { Presets, SingleBar } = load('cli-progress') as typeof import('cli-progress');
  let total = 0;
  let done = 0;
  let name = '';
  let shownDetail = '';
  /** counted before the pace is taken: what was done at no cost */
  let base: number | undefined = 0;
  let started = performance.now();
  const bar = new SingleBar(
    {
      stream: stderr as NodeJS.WriteStream,
      format: (options, { value }) => {
        const rate = (value - (base ?? 0)) / Math.max(0.001, (performance.now() - started) / 1000);
        if (total === 0) return ` ${value} pictures, ${rate.toFixed(2)}/s${shownDetail}`;
        const complete = Math.round(((options.barsize ?? 40) * value) / total);
        const drawn = `${'█'.repeat(complete)}${'░'.repeat(Math.max(0, (options.barsize ?? 40) - complete))}`;
        const left = rate > 0 ? formatSeconds((total - value) / rate) : '?';
        return `${name} ${drawn} ${value}/${total}, ${rate.toFixed(2)}/s, ${left} left${shownDetail}`;
      },
      barsize: 24,
      hideCursor: !env['CI'],
      clearOnComplete: true,
      noTTYOutput: false,
      etaBuffer: 1,
    },
    Presets.shades_classic,
  );
  bar.start(1, 0);
  return {
    step: () => bar.update(++done),
    total: (count) => {
      total = count;
      bar.setTotal(Math.max(1, count));
    },
    stage: (next, count) => {
      name = ` ${next}`;
      shownDetail = '';
      total = count;
      done = 0;
      base = undefined;
      started = performance.now();
      bar.setTotal(Math.max(1, count));
      bar.update(0);
    },
    at: (count, detail = '') => {
      base ??= count - 1;
      done = count;
      shownDetail = detail && `, ${detail}`;
      bar.update(count);
    },
    part: (count, all) => {
      shownDetail = count < all ? `, pass ${count} of ${all}` : '';
      bar.update(done);
    },
    clear: () => void stderr.write('\r\x1b[K'),
    stop: () => bar.stop(),
  };
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes === 0) return `${whole} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
