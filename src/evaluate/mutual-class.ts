/**
 * The pictures of a class scored by each other (docs/normals.md): the tested ones, good and anomalous, are the batch of which nobody
 * knows which are good. Labels make figures of it, and tell where its assumption does not hold.
 */
import { rm } from 'node:fs/promises';
import type { MethodOptions } from '../addon/native.js';
import type { Engine } from '../engine/engine.js';
import type { PictureSettings } from '../engine/method-choice.js';
import type { MutualPictures } from '../engine/mutual-pictures.js';
import type { PictureItem } from '../engine/picture-item.js';
import type { ScoreOutcome } from '../engine/result.js';
import { CraneError } from '../errors.js';
import { temporaryFolder } from '../files/temporary-folder.js';
import { settingOf } from '../methods/descriptor.js';
import { normals } from '../methods/normals.js';
import type { PictureChoices, ScoreManyOptions } from '../options/types.js';
import type { PlacedItem, TestData } from './test-data.js';

export function isMutual(method: MethodOptions): boolean {
  return method['name'] === normals.name && method['mutual'] === true;
}

/** What pictures that are scored by each other are compared with comes with each class. */
export async function settledFor(engine: Engine, choices: PictureChoices): Promise<PictureSettings> {
  const settings = engine.settings(choices);
  return isMutual(settings.method) ? settings : engine.settledSettings(choices);
}

/** @throws CraneError E_USAGE for a class of one picture, before anything is scored */
export function checkMutualClasses(opened: readonly TestData[]): void {
  for (const { name, classes } of opened)
    for (const { className, items } of classes)
      if (items.length < 2)
        throw new CraneError(
          'E_USAGE',
          `${name}, class ${className}: has one picture, and pictures that are scored by each other (mutual) are two at least`,
        );
}

/** What a reader of the figures has to know. */
export function mutualNote(method: MethodOptions): string {
  return `scored by each other (mutual): each picture is compared with the other tested ones of its class, so a score depends on which pictures are tested. It assumes that most of them are good and show the same kind of thing; a defect that more than ${100 * shareOf(method)} % of them have alike looks normal`;
}

/** Of classes in which the labels say that more than the share are anomalous. */
export function mutualWarnings(
  { name, classes }: { name: string; classes: readonly { className: string; labels: readonly boolean[] }[] },
  method: MethodOptions,
): string[] {
  const share = shareOf(method);
  return classes.flatMap(({ className, labels }) => {
    const anomalous = labels.filter(Boolean).length;
    if (anomalous <= share * labels.length) return [];
    return [
      `${name}: ${anomalous} of the ${labels.length} pictures of ${className} are anomalous, more than the share of ${share} (mutualShare): pictures that are scored by each other are to be good for the most part, and what defects have in common looks normal.`,
    ];
  });
}

function shareOf(method: MethodOptions): number {
  return settingOf(method, 'mutualShare', normals.settings.mutualShare) as number;
}

interface MutualClass {
  engine: Engine;
  /** all of the class */
  items: readonly PlacedItem[];
  choices: ScoreManyOptions;
  /** where patches are kept; undefined: in a temporary folder */
  folder: string | undefined;
  signal: AbortSignal | undefined;
}

/** Results of those that are missing, with maps, each by all others of the class. */
export async function* scoredByEachOther(
  { engine, items, choices, folder, signal }: MutualClass,
  missing: readonly PlacedItem[],
): AsyncGenerator<ScoreOutcome> {
  if (missing.length === 0) return;
  const path = folder ?? (await temporaryFolder());
  const stop = signal ? { signal } : {};
  let pictures: MutualPictures | undefined;
  try {
    const all = items.map(({ image, imagePath }) => ({ input: image, name: imagePath }));
    pictures = await orStopped(engine.banks.mutual(all, { folder: path, ...stop }), signal);
    if (pictures === undefined) return;
    yield* engine.scoreApart(inputsOf(missing, pictures, signal), {
      ...choices,
      method: normals.name,
      mutual: true,
      normals: pictures.all,
      map: true,
    });
  } finally {
    pictures?.remove();
    if (folder === undefined) await rm(path, { recursive: true, force: true });
  }
}

async function* inputsOf(
  items: readonly PlacedItem[],
  pictures: MutualPictures,
  signal: AbortSignal | undefined,
) {
  for (const { image, imagePath, index } of items) {
    if (signal?.aborted) return;
    yield { input: image, name: imagePath, index, normals: await pictures.of(image) } satisfies PictureItem;
  }
}

/** Undefined where the test was stopped meanwhile: what is read stays, and is gone on with. */
async function orStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (signal?.aborted) return undefined;
    throw thrown;
  }
}
