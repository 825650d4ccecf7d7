/** A watched folder of a test's own, an engine that computes nothing, and all that the watch told. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import type { Engine } from '../../../src/engine/engine.js';
import { openEngine } from '../../../src/engine/load-engine.js';
import { type Delivery, WatchJournal } from '../../../src/service/watch/journal.js';
import type { Receiver } from '../../../src/service/watch/receivers.js';
import { type Watch, watchFolder } from '../../../src/service/watch/watch-folder.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';

type StartOptions = { moveTo?: string; recursive?: boolean; settleMs?: number; journal?: WatchJournal };

export class WatchedFolder {
  running: Watch | undefined;
  readonly told = {
    results: [] as Delivery[],
    known: [] as string[],
    faults: [] as string[],
    delayed: [] as string[],
    refused: [] as string[],
    unrecorded: [] as string[],
  };
  readonly folder: string;
  readonly state: string;

  private constructor(
    readonly scratch: string,
    readonly engine: Engine,
  ) {
    this.folder = join(scratch, 'in');
    this.state = join(scratch, 'state.jsonl');
  }

  static async make(): Promise<WatchedFolder> {
    const scratch = await makeToyFolder();
    const model = await makeToyModel(join(scratch, 'model'));
    const made = new WatchedFolder(scratch, await openEngine(makeFakeAddon(), model, {}));
    await mkdir(made.folder);
    return made;
  }

  async start(receivers: Receiver[] = [], more: StartOptions = {}): Promise<Watch> {
    const { told } = this;
    const names = receivers.map(({ name }) => name);
    this.running = await watchFolder({
      folder: this.folder,
      recursive: more.recursive ?? false,
      settleMs: more.settleMs ?? 40,
      moveTo: more.moveTo,
      regions: false,
      engine: this.engine,
      journal: more.journal ?? (await WatchJournal.open(this.state, names)),
      receivers,
      firstWaitMs: 10,
      lookMs: 10,
      events: {
        onResult: (delivery) => told.results.push(delivery),
        onKnown: (name) => told.known.push(name),
        onFault: (name, message) => told.faults.push(`${name}: ${message}`),
        onDelayed: (_receiver, reason) => told.delayed.push(reason),
        onRefused: (_receiver, key, reason) => told.refused.push(`${key} ${reason}`),
        onUnrecorded: (receiver, _key, reason) => told.unrecorded.push(`${receiver}: ${reason}`),
      },
    });
    return this.running;
  }

  /** Deliveries have their time, however busy the machine is; those to a receiver that takes none are given up sooner. */
  async stop(graceMs = 15_000): Promise<void> {
    await this.running?.stop(graceMs);
    this.running = undefined;
  }

  async remove(): Promise<void> {
    await this.stop(100);
    await this.engine.dispose();
    await rm(this.scratch, { recursive: true, force: true });
  }
}

/** A new folder for each test of a file. @returns where the one of the test at hand is found */
export function eachWatchedFolder(): { watched: WatchedFolder } {
  const at = {} as { watched: WatchedFolder };
  beforeEach(async () => {
    at.watched = await WatchedFolder.make();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await at.watched.remove();
  });
  return at;
}

export async function linesOf(path: string): Promise<Delivery[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Delivery);
}
