/** Progress of a download on stderr: a bar on a terminal, a line at every quarter elsewhere. */
import { createRequire } from 'node:module';
import type { SingleBar } from 'cli-progress';
import { formatBytes } from '../terminal/bytes.js';

export interface DownloadProgress {
  /** totalBytes 0: unknown */
  start(totalBytes: number): void;
  add(bytes: number): void;
  stop(): void;
}

export function downloadProgress(log: (line: string) => void): DownloadProgress {
  const cliProgress = process.stderr.isTTY ? loadBar() : undefined;
  return cliProgress ? barProgress(cliProgress.SingleBar) : lineProgress(log);
}

/** Without the package (docs/packages.md) lines do. */
function loadBar(): typeof import('cli-progress') | undefined {
  try {
    return createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress');
  } catch {
    return undefined;
  }
}

function barProgress(Bar: typeof SingleBar): DownloadProgress {
  let bar: SingleBar | undefined;
  let got = 0;
  let startedAt = 0;
  return {
    start(totalBytes) {
      got = 0;
      bar = new Bar({
        stream: process.stderr,
        format: '  [{bar}] {percentage} % of {size}, {speed} MB/s, {eta_formatted} left',
        barsize: 30,
        hideCursor: true,
        etaBuffer: 50,
      });
      startedAt = Date.now();
      bar.start(totalBytes, 0, { size: formatBytes(totalBytes), speed: '-' });
    },
    add(bytes) {
      got += bytes;
      const seconds = (Date.now() - startedAt) / 1000;
      bar?.update(got, { speed: seconds > 0.5 ? (got / 1e6 / seconds).toFixed(1) : '-' });
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function lineProgress(log: (line: string) => void): DownloadProgress {
  let total = 0;
  let got = 0;
  let quarter = 0;
  return {
    start(totalBytes) {
      total = totalBytes;
      got = 0;
      quarter = 0;
    },
    add(bytes) {
      got += bytes;
      // small downloads need no progress
      if (total < 5e6) return;
      const reached = Math.floor((4 * got) / total);
      if (reached <= quarter) return;
      quarter = reached;
      log(`  ${formatBytes(got)} of ${formatBytes(total)}`);
    },
    stop() {},
  };
}
