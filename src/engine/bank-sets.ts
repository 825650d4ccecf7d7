/**
 * The banks of normal pictures that one engine holds: those of files, read again when their file changed, the least
 * recently used idle one going first; and those that callers learned and remove themselves.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { MethodOptions, NativeAddon, NativeEngine, Precision } from '../addon/native.js';
import { CraneError } from '../errors.js';
import { changedLevelReading, type Reading } from '../images/reading.js';
import { methodName } from '../methods/descriptor.js';
import { normals } from '../methods/normals.js';
import { defaultMethod, joinsBank, methodNames, methodOf } from '../methods/registry.js';
import { conformalThreshold } from '../models/conformal.js';
import { checkedMethod, type Model } from '../models/model-json.js';
import { type BankFacts, bankIdentity } from '../normals/bank-facts.js';
import { copiesAmong, haveNoCopy } from '../normals/copies.js';
import { NormalBank } from '../normals/normal-bank.js';
import { readBankFacts } from '../normals/read-bank-facts.js';
import type { EngineWarning, Size } from '../options/types.js';
import type { HeldPrompts } from './prompt-sets.js';

const k_idleBanks = 8;
const k_rememberedThresholds = 100;

export type BankReference = string | NormalBank;

export interface BankThresholds {
  threshold: number;
  mapThreshold: number;
}

interface Entry {
  users: number;
  ready: Promise<NormalBank>;
}

export class BankSets {
  /** of files; insertion order is order of last use */
  readonly #entries = new Map<string, Entry>();
  /** of files, by absolute path */
  readonly #identities = new Map<string, string>();
  readonly #thresholds = new Map<string, Promise<BankThresholds>>();
  readonly #addon: NativeAddon;
  readonly #native: NativeEngine;
  readonly #model: Model;
  readonly #warn: (warning: EngineWarning) => void;
  /** banks of which was told, by identity */
  readonly #told = new Set<string>();
  /** of the towers, see towersOf() */
  readonly towers: string;

  constructor(parts: {
    addon: NativeAddon;
    native: NativeEngine;
    model: Model;
    size: Size;
    precision: Precision;
    warn: (warning: EngineWarning) => void;
  }) {
    this.#warn = parts.warn;
    this.#addon = parts.addon;
    this.#native = parts.native;
    this.#model = parts.model;
    this.towers = towersOf(parts.model, parts.size, parts.precision);
  }

  /**
   * What this method compares with: a bank, or its own memory.
   * @throws CraneError E_NORMALS, also for what was learned for another method or with other settings of it, E_WEIGHTS_*,
   * E_IO_READ; E_USAGE without a bank
   */
  async holdFor(
    { method, reading }: { method: MethodOptions; reading: Reading },
    reference: BankReference | undefined,
  ): Promise<HeldPrompts & { bank: NormalBank }> {
    const held = await this.hold(reference);
    try {
      const shown = typeof reference === 'string' ? reference : 'the normal pictures';
      checkMethod(held.bank.facts, method, shown);
      checkReading(held.bank.facts, reading, shown);
      this.#tellOfTurning(held.bank, reading, shown);
      return held;
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  }

  /** Once a bank: a test beside published figures opens pictures as they are stored, and takes banks of any engine. */
  #tellOfTurning({ facts, identity }: NormalBank, { exif }: Reading, shown: string): void {
    if (exif === (facts.asStored !== true) || this.#told.has(identity)) return;
    this.#told.add(identity);
    const [before, now] = exif
      ? ['as they are stored', 'turned as EXIF says']
      : ['turned as EXIF says', 'as they are stored'];
    this.#warn({
      code: 'W_NORMALS_TURNED',
      message: `${shown}: its pictures were opened ${before}, and pictures are scored ${now}: those that have an EXIF orientation are compared with others that stand otherwise. --compat.exif (compat.exif) decides it for both`,
    });
  }

  /** Once a bank and method: where a picture's own score depends on itself, the rate is no guarantee. */
  #tellOfApproximation({ facts, identity }: NormalBank, method: MethodOptions): void {
    const why = joinsBank(method)
      ? 'prompts and good pictures together'
      : facts.kind === 'subspace'
        ? 'a subspace'
        : facts.size === undefined
          ? undefined
          : 'chosen rows';
    const told = JSON.stringify([identity, methodName(method)]);
    if (why === undefined || this.#told.has(told)) return;
    this.#told.add(told);
    this.#warn({
      code: 'W_RATE_APPROXIMATE',
      message: `with ${why} the false-alarm rate holds approximately: the good pictures' own scores are not quite a new one's. Where it has to be kept, choose thresholds from good pictures that are in no bank: calibrate --normal-only --normals`,
    });
  }

  /** What became of pictures that several of the banks have. */
  tellOfMerge(bank: NormalBank, { leftOut, of }: { leftOut: number; of: number }): void {
    if (leftOut > 0)
      this.#tellOnce(
        ['left out', bank.identity],
        `${leftOut} of ${of} banks left out of the one they are joined to: all of their pictures are in those before them, and would count twice`,
      );
    this.#tellOfCopies(bank);
  }

  #tellOfCopies({ facts: { pictures }, identity }: NormalBank): void {
    const [first] = copiesAmong(pictures);
    if (first === undefined) return;
    const alone = haveNoCopy(pictures).filter(Boolean).length;
    this.#tellOnce(
      ['copies', identity],
      `of ${pictures.length} normal pictures ${pictures.length - alone} have the content of another, for instance ${first.copy.name} that of ${first.of.name}: their own scores say nothing of a new picture, and a false-alarm rate rests on the other ${alone}. Learn the bank again from all pictures: each then counts once`,
    );
  }

  #tellOnce(of: readonly string[], message: string): void {
    const told = JSON.stringify(of);
    if (this.#told.has(told)) return;
    this.#told.add(told);
    this.#warn({ code: 'W_NORMALS_COPIES', message });
  }

  /** @throws CraneError E_NORMALS, E_WEIGHTS_*, E_IO_READ; E_USAGE without a bank */
  async hold(reference: BankReference | undefined): Promise<HeldPrompts & { bank: NormalBank }> {
    if (reference === undefined) {
      throw new CraneError(
        'E_USAGE',
        'pictures are to be compared with a bank of normal pictures, and none was given',
        {
          hint: 'name one with --normals FILE, or good pictures with --normals-from FOLDER',
        },
      );
    }
    if (typeof reference !== 'string') {
      return { bank: reference, identity: reference.identity, ...reference.hold(this.#native) };
    }
    const { path, key } = await this.#find(reference);
    const entry = this.#entries.get(key) ?? { users: 0, ready: this.#read(path) };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users++;
    let isHeld = true;
    const release = () => {
      if (isHeld) entry.users--;
      isHeld = false;
      this.#dropIdle();
    };
    try {
      const bank = await entry.ready;
      const { handle, release: free } = bank.hold(this.#native);
      return {
        bank,
        handle,
        identity: bank.identity,
        release: () => {
          free();
          release();
        },
      };
    } catch (thrown) {
      release();
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw thrown;
    }
  }

  /**
   * The bank of a file, the caller's to remove.
   * @param as what the caller knows it to be: of another identity it is refused, and what names alone tell is the caller's
   * @throws CraneError E_NORMALS, E_WEIGHTS_*, E_IO_READ
   */
  async open(given: string, as?: BankFacts): Promise<NormalBank> {
    const { path } = await this.#find(given);
    return this.#read(path, as);
  }

  /** Undefined: a file that was not read yet. */
  identityOf(reference: BankReference | undefined): string | undefined {
    if (reference === undefined) return undefined;
    return typeof reference === 'string' ? this.#identities.get(resolve(reference)) : reference.identity;
  }

  /**
   * Thresholds that a normal picture reaches with at most this probability, from the scores of the bank's own pictures, each
   * against the bank without it (docs/normals.md). The score's, and the map maximum's. A picture with a copy in the bank is not
   * left out of it, and speaks for none.
   * @throws CraneError E_CALIBRATE_TOO_FEW, E_CALIBRATE_SCORES
   */
  async thresholds(
    { handle, identity, bank }: { handle: number; identity: string; bank: NormalBank },
    method: MethodOptions,
    rate: number,
  ): Promise<BankThresholds> {
    this.#tellOfApproximation(bank, method);
    if (bank.facts.pictures.length < 2) throw noOther(rate);
    this.#tellOfCopies(bank);
    const key = JSON.stringify([identity, method, rate]);
    const known = this.#thresholds.get(key);
    if (known) return known;
    const speaks = haveNoCopy(bank.facts.pictures);
    const found = this.#native.ownScores(handle, method).then((all) => {
      const own = all.filter((_, at) => speaks[at]);
      return {
        threshold: conformalThreshold(
          own.map(({ score }) => score),
          rate,
        ).threshold,
        mapThreshold: conformalThreshold(
          own.map(({ mapMax }) => mapMax),
          rate,
          { what: 'map maxima' },
        ).threshold,
      };
    });
    if (this.#thresholds.size >= k_rememberedThresholds) this.#thresholds.clear();
    this.#thresholds.set(key, found);
    found.catch(() => this.#thresholds.delete(key));
    return found;
  }

  /** @throws CraneError E_NORMALS for a bank of other towers */
  checkFits({ towers, model, method }: BankFacts, shown: string): void {
    if (towers === this.towers) return;
    const isOwn = model === this.#model.name;
    const of = method === undefined ? '' : ` for method ${method}`;
    const other = isOwn ? `with other weights, towers, input size or precision${of}` : `of ${model}${of}`;
    throw new CraneError(
      'E_NORMALS',
      `${shown}: a bank of another model: it was learned ${other}, and this is ${this.#model.name}`,
      {
        hint: 'learn it again with this model, and for the method that is scored: npx crane-native normals learn',
      },
    );
  }

  async #find(given: string): Promise<{ path: string; key: string }> {
    const path = resolve(given);
    const facts = await stat(path).catch((cause: unknown) => {
      throw new CraneError('E_NORMALS', `${given}: there is no such bank`, {
        hint: 'make one: npx crane-native normals learn FOLDER --out FILE',
        cause,
      });
    });
    if (facts.isDirectory()) {
      throw new CraneError('E_NORMALS', `${given}: a folder, where the file of a bank is needed`, {
        hint: 'good pictures are given with --normals-from FOLDER',
      });
    }
    return { path, key: JSON.stringify([path, facts.size, facts.mtimeMs, facts.ino]) };
  }

  async #read(path: string, as?: BankFacts): Promise<NormalBank> {
    const facts = await readBankFacts(this.#addon, path);
    if (as !== undefined && bankIdentity(facts) !== bankIdentity(as))
      throw new CraneError('E_NORMALS', `${path}: the bank of other pictures or settings`);
    this.checkFits(facts, path);
    const files: Record<string, string> = facts.method === undefined ? { bank: path } : { memory: path };
    const handle = await this.#native.addContext({ texts: {}, files }, readerOf(facts, path));
    try {
      checkLeftOut(facts, this.#native.leftOut(handle), path);
    } catch (thrown) {
      this.#native.removeContext(handle);
      throw thrown;
    }
    const pictures = facts.pictures.map((picture, at) => ({
      ...picture,
      name: as?.pictures[at]?.name ?? picture.name,
    }));
    const bank = new NormalBank(this.#native, handle, { ...facts, pictures });
    this.#identities.set(path, bank.identity);
    return bank;
  }

  #dropIdle(): void {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    for (const [key, entry] of idle.slice(0, Math.max(0, idle.length - k_idleBanks))) {
      this.#entries.delete(key);
      entry.ready.then((bank) => bank.remove()).catch(() => {});
    }
  }
}

/** @throws CraneError E_NORMALS where a bank says to leave out other patches than it does */
function checkLeftOut(
  { pictures }: BankFacts,
  counts: ReturnType<NativeEngine['leftOut']>,
  path: string,
): void {
  const said = pictures.map(({ leftOut, patches }) => [leftOut, patches]);
  const held = pictures.map((_, at) => [counts[at]?.leftOut, counts[at]?.patches]);
  if (isDeepStrictEqual(said, held)) return;
  throw new CraneError(
    'E_NORMALS',
    `${path}: damaged: it says to leave out other patches of its pictures than it does`,
  );
}

/** What it says to be is what it has to be. @throws CraneError E_NORMALS for a memory that is of no method here */
function readerOf(
  { method, settings, kind, variance, size, foreground, precision }: BankFacts,
  path: string,
): MethodOptions {
  const keptAs = {
    bankKind: kind ?? 'nearest',
    ...(variance === undefined ? {} : { bankVariance: variance }),
    bankSize: size ?? 0,
    bankForeground: foreground ?? false,
    bankPrecision: precision ?? 'float32',
  };
  if (method === undefined) return { ...defaultMethod('normals'), ...keptAs } as MethodOptions;
  const usual = methodNames().includes(method) ? defaultMethod(method) : undefined;
  const kept = usual && methodOf(usual).remembers?.(usual);
  const names = (of: object) => Object.keys(of).sort();
  if (kept !== undefined && isDeepStrictEqual(names(kept), names(settings!))) {
    const reader = checkedMethod({ ...usual, ...settings });
    if (reader !== undefined) return reader;
  }
  throw new CraneError(
    'E_NORMALS',
    kept === undefined
      ? `${path}: of method "${method}", which keeps no normal pictures here`
      : `${path}: damaged: ${JSON.stringify(settings)} are no settings of what method ${method} keeps`,
    { hint: 'make one: npx crane-native normals learn FOLDER --method winclip --out FILE' },
  );
}

/** @throws CraneError E_NORMALS */
function checkMethod(
  { method = normals.name, settings, beside }: BankFacts,
  wanted: MethodOptions,
  shown: string,
): void {
  const own = methodName(wanted);
  if (joinsBank(wanted) && method === normals.name) {
    if (isDeepStrictEqual(beside, methodOf(wanted).besideBank?.(wanted))) return;
    throw new CraneError(
      'E_NORMALS',
      beside === undefined
        ? `${shown}: a bank of patches alone, which cannot stand beside prompts`
        : `${shown}: learned with other settings of the prompts' maps than pictures are scored with`,
      { hint: 'learn it for both, with the same settings: normals learn --evidence both, or --normals-from' },
    );
  }
  if (method !== own) {
    const hint =
      own === normals.name
        ? `take --method ${method}, or a bank of normals learn`
        : `method ${own} keeps normal pictures in its own way: normals learn --method ${own}, or --normals-from`;
    throw new CraneError(
      'E_NORMALS',
      `${shown}: learned for method ${method}, and pictures are scored by method ${own}`,
      { hint },
    );
  }
  const needed = methodOf(wanted).remembers?.(wanted);
  if (isDeepStrictEqual(settings, needed)) return;
  throw new CraneError(
    'E_NORMALS',
    `${shown}: learned with ${JSON.stringify(settings)}, and pictures are scored with ${JSON.stringify(needed)}`,
    { hint: 'give these settings to loadEngine, so that both have the same' },
  );
}

function noOther(rate: number): CraneError {
  return new CraneError(
    'E_CALIBRATE_TOO_FEW',
    `one normal picture cannot hold a false-alarm rate of ${rate}: it has no other to be compared with`,
    { hint: 'take more normal pictures, two at least' },
  );
}

/**
 * Another depth or range makes other pixels of the same file: nothing would look normal.
 * @throws CraneError E_NORMALS
 */
function checkReading(facts: BankFacts, reading: Reading, shown: string): void {
  const now = changedLevelReading(reading);
  if (isDeepStrictEqual(facts.reading, now)) return;
  const text = (each: BankFacts['reading']) => (each ? JSON.stringify(each) : 'as files say');
  throw new CraneError(
    'E_NORMALS',
    `${shown}: its pictures were read ${text(facts.reading)}, and pictures are scored that are read ${text(now)}`,
    { hint: 'give --bit-depth, --value-range and --compat.* to both, or learn the bank again' },
  );
}

/** Of all that decides a patch of a picture: weights, their use, input size, precision. */
function towersOf(
  { weights, recipes, source, vision }: Model,
  { width, height }: Size,
  precision: Precision,
): string {
  const content = [
    weights.map((part) => part.sha256),
    recipes,
    source?.weights.sha256,
    source?.tower,
    vision,
    { width, height },
    precision,
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
