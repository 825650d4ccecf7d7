/**
 * The folder of a test run. While it runs, state/ holds a line for each scored picture and a file for each finished
 * class, and maps/ the map of each picture of the class in work: what a killed process leaves is enough to go on from.
 * A map is written before the line that says it is there.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import { removeLeft } from '../files/left-files.js';
import { readNpy } from '../files/npy.js';
import { readSealed, writeSealed } from '../files/sealed.js';
import { isThere, writeWhole } from '../files/write-whole.js';
import type { AnomalyMap } from '../images/anomaly-map.js';
import type { MapValues } from '../metrics/index.js';
import { decodeFigures, encodeFigures } from '../runs/run-json.js';
import { mapFile } from '../sinks/map-file.js';
import type { FinishedClass } from './finished-class.js';

/** Files of a finished run, and only those: taken away by --force. */
const k_ownFiles = [
  'results.json',
  'results.csv',
  'results.md',
  'results.tex',
  'pictures.csv',
  'report.html',
  'run.json',
];

/** Of mapName, and under the temporary name that it is written by. */
const k_map = /^(\d{5,}\.npy|\.\d{5,}\.npy\..*\.tmp)$/;

export class TestFolder {
  readonly record: string;
  readonly results: string;
  readonly state: string;
  readonly journal: string;
  /** of pictures that are scored by each other */
  readonly patches: string;

  constructor(readonly path: string) {
    this.record = join(path, 'run.json');
    this.results = join(path, 'results.json');
    this.state = join(path, 'state');
    this.journal = join(this.state, 'pictures.jsonl');
    this.patches = join(this.state, 'patches');
  }

  /** Takes an earlier run away; what one could go on from goes first. */
  async clear(): Promise<void> {
    await rm(this.state, { recursive: true, force: true });
    await rm(join(this.path, 'maps'), { recursive: true, force: true });
    for (const name of k_ownFiles) await rm(join(this.path, name), { force: true });
  }

  /** run.json of an earlier run; undefined: there is none. @throws CraneError E_EXISTS for somebody else's */
  async readRecord(): Promise<Record<string, unknown> | undefined> {
    const text = await readFile(this.record, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const record = parseObject(text);
    if (record?.['kind'] === 'test') return record;
    throw new CraneError('E_EXISTS', `${this.path}: run.json there is not that of a test`, {
      hint: 'choose another --out',
    });
  }

  /** @throws CraneError E_EXISTS when a test is here and neither `resume` nor `force` says what to do with it */
  async checkFree({ resume, force }: { resume: boolean; force: boolean }): Promise<void> {
    const record = await this.readRecord();
    if (force || (resume && record)) return;
    const own = await Promise.all(k_ownFiles.map((name) => isThere(join(this.path, name))));
    if (own.includes(true)) throw this.isTaken(record !== undefined);
  }

  /** @param canResume a test is there that --resume would go on with */
  isTaken(canResume = true): CraneError {
    return new CraneError('E_EXISTS', `${this.path}: holds a test already, or files of its names`, {
      hint: canResume
        ? 'go on with --resume, start anew with --force, or choose another --out'
        : 'start anew with --force, or choose another --out',
    });
  }

  /** Path of a map below the folder, with `/` between. */
  mapName(setFolder: string, index: number): string {
    return `maps/${setFolder}/${String(index).padStart(5, '0')}.npy`;
  }

  async writeMap(name: string, map: AnomalyMap): Promise<void> {
    await writeWhole(this.#file(name), await mapFile(map, 'npy'), { overwrite: true });
  }

  /** undefined: it is not there or not whole, and the picture has to be scored again */
  async readMap(name: string): Promise<MapValues | undefined> {
    return readNpy(this.#file(name)).catch(() => undefined);
  }

  async removeMap(name: string): Promise<void> {
    await rm(this.#file(name), { force: true });
  }

  /** What a killed process left half-written. */
  async removeLeft(): Promise<void> {
    await removeLeft(this.path);
    for (const folder of [this.state, join(this.path, 'maps')]) await removeLeft(folder, { below: true });
  }

  /** Maps of the set that nobody names: those of a process that was killed between its last two steps. */
  async removeMapsBut(setFolder: string, names: ReadonlySet<string>): Promise<void> {
    for (const entry of await readdir(join(this.path, 'maps', setFolder)).catch(() => [])) {
      const name = `maps/${setFolder}/${entry}`;
      if (!names.has(name) && k_map.test(entry)) await this.removeMap(name);
    }
  }

  /** A class that was finished earlier; undefined: there is none, or its file is damaged and it has to be scored again. */
  async readClass(set: number, of: number, className: string): Promise<FinishedClass | undefined> {
    try {
      const json = await readSealed(this.#file(classFile(set, of)));
      const finished = decodeFigures(json ?? '') as Partial<FinishedClass> | null;
      const isWhole = finished?.className === className && Array.isArray(finished.pictures);
      return isWhole ? (finished as FinishedClass) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Its file is written whole; only then the maps that nobody will ask for are taken away. */
  async writeClass(set: number, of: number, finished: FinishedClass): Promise<void> {
    await writeSealed(this.#file(classFile(set, of)), encodeFigures(finished));
  }

  async removeState(): Promise<void> {
    await rm(this.state, { recursive: true, force: true });
  }

  write(name: string, text: string): Promise<void> {
    return writeWhole(this.#file(name), text, { overwrite: true });
  }

  #file(name: string): string {
    return join(this.path, ...name.split('/'));
  }
}

function classFile(set: number, of: number): string {
  return `state/class-${set}-${of}.json`;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
