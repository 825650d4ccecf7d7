/** The one progress bar: on stderr, only when that is a terminal. */
import { Presets, SingleBar } from 'cli-progress';
import type { Context } from './context.js';

export interface Progress {
  /** one more is done */
  step(): void;
  /** the number of all, once it is known */
  total(count: number): void;
  /** takes the bar off the line, so that others may write */
  clear(): void;
  stop(): void;
}

const silent: Progress = { step() {}, total() {}, clear() {}, stop() {} };

export function startProgress({ stderr, isTerminal, env }: Context): Progress {
  if (!isTerminal.stderr) return silent;
  let total = 0;
  let done = 0;
  const started = performance.now();
  const bar = new SingleBar(
    {
      stream: stderr as NodeJS.WriteStream,
      format: (options, { value }) => {
        const rate = value / Math.max(0.001, (performance.now() - started) / 1000);
        if (total === 0) return ` ${value} pictures, ${rate.toFixed(2)}/s`;
        const complete = Math.round(((options.barsize ?? 40) * value) / total);
        const drawn = `${'█'.repeat(complete)}${'░'.repeat(Math.max(0, (options.barsize ?? 40) - complete))}`;
        const left = rate > 0 ? formatSeconds((total - value) / rate) : '?';
        return ` ${drawn} ${value}/${total}, ${rate.toFixed(2)}/s, ${left} left`;
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
