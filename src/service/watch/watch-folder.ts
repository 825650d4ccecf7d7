/** Pictures that arrive in a folder: each content is scored once, however often it comes, and its result is delivered. */
import { stat } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.js';
import type { ScoreCallOptions } from '../../engine/picture-item.js';
import { toCraneError } from '../../errors.js';
import { contentHash } from '../../files/content-hash.js';
import { moveInto } from '../../files/move-into.js';
import { kindOfFileName } from '../../scan/file-kind.js';
import { toResultLine } from '../../sinks/result-line.js';
import { Deliverer, type DelivererEvents, k_firstWaitMs, k_longestWaitMs } from './deliverer.js';
import type { Delivery, KeptResult, WatchJournal } from './journal.js';
import type { Receiver } from './receivers.js';

export interface WatchEvents extends DelivererEvents {
  onResult(delivery: Delivery): void;
  /** the content of a file was scored before */
  onKnown(name: string): void;
  onFault(name: string, message: string): void;
}

export interface WatchParts {
  folder: string;
  recursive: boolean;
  /** milliseconds for which a file must not grow before it is taken */
  settleMs: number;
  /** undefined: files stay where they are */
  moveTo: string | undefined;
  regions: boolean;
  /** what of each picture is looked at */
  area?: Pick<ScoreCallOptions, 'roi' | 'ignore'>;
  engine: Engine;
  journal: WatchJournal;
  receivers: Receiver[];
  events: WatchEvents;
  firstWaitMs?: number;
  /** between two looks whether the folder is still there */
  lookMs?: number;
}

export interface Watch {
  /** Resolves once what lay in the folder at the start has its results. */
  settled: Promise<void>;
  /** Resolves once the folder is gone, or another one in its place: nothing more would be told of what arrives. */
  lost: Promise<void>;
  /** Finishes what has begun, waits a little for deliveries, and ends. */
  stop(graceMs: number): Promise<void>;
}

const k_lookMs = 1000;

/** Files at once: one in the engine, one being read, one waiting. */
const k_atOnce = 3;

export async function watchFolder(parts: WatchParts): Promise<Watch> {
  const { folder, recursive, settleMs, moveTo, engine, journal, receivers, events, firstWaitMs } = parts;
  const identity = await identityOf(folder);
  const { watch } = await import('chokidar');
  const deliverers = receivers.map((receiver) => new Deliverer(receiver, journal, events, firstWaitMs));
  const waiting: string[] = [];
  const running = new Set<Promise<void>>();
  /** keys that are being scored: two files of one content at the same time */
  const atWork = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const ending = new AbortController();
  let idle = () => {};

  const take = async (path: string): Promise<void> => {
    const name = relative(folder, path);
    try {
      const hash = await contentHash(path);
      const key = `${hash}:${engine.facts.model}`;
      // Whoever had this content at work may have failed, and another may have begun since.
      for (let other = atWork.get(key); other !== undefined; other = atWork.get(key)) await other;
      if (journal.has(key)) events.onKnown(name);
      else {
        const work = scoreOne({ path, name, hash, key }).finally(() => atWork.delete(key));
        atWork.set(
          key,
          work.catch(() => {}),
        );
        await work;
      }
      // Only what has its result leaves: what was written to meanwhile is told of as changed, and taken anew.
      if (moveTo !== undefined && journal.has(key) && (await isStill(path, hash)))
        await moveInto(path, moveTo);
    } catch (thrown) {
      const error = toCraneError(thrown);
      if (error.code !== 'E_CANCELLED') events.onFault(name, error.message);
    }
  };
  const scoreOne = async ({ path, name, hash, key }: ArrivedFile): Promise<void> => {
    const outcome = await engine
      .score(path, { name, regions: parts.regions, ...parts.area, signal: stop.signal })
      .catch((thrown: unknown) => {
        const error = toCraneError(thrown);
        // No fault of the content: under its key it would never be scored, whenever it comes again.
        if (!error.code.startsWith('E_IMAGE_')) throw error;
        return { input: name, index: 0, error: error.toJSON() };
      });
    // Written to while it was scored: it is told of as changed, and the result is of neither content.
    if (!(await isStill(path, hash))) return;
    const { index: _index, ...line } = toResultLine(outcome, {}, true);
    const delivery: Delivery = { key, ...line };
    const kept = await keep(delivery, name);
    events.onResult(delivery);
    for (const deliverer of deliverers) deliverer.add(kept);
  };
  /** A full disk is waited for: what is scored is kept, and nothing more is taken meanwhile. */
  const keep = async (delivery: Delivery, name: string): Promise<KeptResult> => {
    for (let waitMs = firstWaitMs ?? k_firstWaitMs; ; waitMs = Math.min(2 * waitMs, k_longestWaitMs)) {
      try {
        return await journal.addResult(delivery);
      } catch (thrown) {
        if (ending.signal.aborted) throw thrown;
        events.onFault(name, `${toCraneError(thrown).message}; again in ${waitMs / 1000} s`);
        await wait(waitMs, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
  };
  const go = () => {
    while (running.size < k_atOnce && waiting.length > 0 && !stop.signal.aborted) {
      const work: Promise<void> = take(waiting.shift()!).finally(() => {
        running.delete(work);
        go();
      });
      running.add(work);
    }
    if (running.size === 0) idle();
  };
  const arrive = (path: string) => {
    if (kindOfFileName(basename(path)) === 'picture') {
      waiting.push(path);
      go();
    }
  };

  const excluded = moveTo === undefined ? undefined : resolve(moveTo);
  const watcher = watch(folder, {
    ...(recursive ? {} : { depth: 0 }),
    ignored: (path) => excluded !== undefined && resolve(path) === excluded,
    awaitWriteFinish: { stabilityThreshold: settleMs, pollInterval: Math.max(10, Math.min(100, settleMs)) },
  });
  watcher.on('add', arrive).on('change', arrive);
  watcher.on('error', (thrown) => events.onFault(folder, toCraneError(thrown).message));
  await new Promise<void>((ready) => watcher.once('ready', ready));
  const settled = (async () => {
    // The first files are told only once they have settled.
    await new Promise((resolve) => setTimeout(resolve, settleMs + 150));
    while (running.size > 0 || waiting.length > 0)
      await new Promise<void>((resolve) => {
        idle = resolve;
        if (running.size === 0) resolve();
      });
  })();
  let look: NodeJS.Timeout | undefined;
  const lost = new Promise<void>((resolve) => {
    look = setInterval(() => {
      void identityOf(folder).then((now) => {
        if (now !== identity) resolve();
      });
    }, parts.lookMs ?? k_lookMs);
  });
  return {
    settled,
    lost,
    stop: async (graceMs) => {
      clearInterval(look);
      await watcher.close();
      waiting.length = 0;
      ending.abort();
      await Promise.allSettled(running);
      stop.abort();
      await Promise.all(deliverers.map((deliverer) => deliverer.end(graceMs)));
      await journal.close();
    },
  };
}

interface ArrivedFile {
  path: string;
  /** below the folder */
  name: string;
  hash: string;
  key: string;
}

/** One that went was whole. */
async function isStill(path: string, hash: string): Promise<boolean> {
  return (await contentHash(path).catch(() => hash)) === hash;
}

/** undefined: there is no folder */
async function identityOf(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
}
