/** The pictures that every run kept a map of, with the map of each run beside the other. */
import type { NativeAddon } from '../../addon/native.js';
import { throwIfCancelled } from '../../cancellation.js';
import { recordedReading } from '../../images/reading.js';
import { mapColours } from '../../methods/registry.js';
import { isScored, type TestRun } from '../../runs/test-run.js';
import { type Illustration, illustrate, isShown } from '../report/illustrate.js';

export interface ComparedRun {
  /** of the method */
  label: string;
  /** where its kept maps are */
  folder: string;
  run: TestRun;
}

export interface ComparedPicture {
  dataSet: string;
  className: string;
  path: string;
  isAnomalous: boolean;
  /** in the order of the runs; undefined: it could not be shown, or was not scored */
  views: (Illustration | undefined)[];
}

export interface ComparedPictures {
  pictures: ComparedPicture[];
  /** what is not shown and why */
  notes: string[];
}

/** @param shown positions of a class's pictures that are wanted */
export async function comparedPictures(
  runs: readonly ComparedRun[],
  shown: (pictures: readonly { isAnomalous: boolean }[]) => ReadonlySet<number>,
  { addon, signal }: { addon: NativeAddon; signal?: AbortSignal | undefined },
): Promise<ComparedPictures> {
  const pictures: ComparedPicture[] = [];
  const notes: string[] = [];
  const [first] = runs;
  for (const [set, { name, classes }] of (first?.run.dataSets ?? []).entries()) {
    for (const [at, { className, pictures: all }] of classes.entries()) {
      for (const place of [...shown(all)].sort((a, b) => a - b)) {
        throwIfCancelled(signal);
        const { path, isAnomalous } = all[place]!;
        const views: ComparedPicture['views'] = [];
        for (const one of runs) {
          const picture = one.run.dataSets[set]!.classes[at]!.pictures[place]!;
          if (!isScored(picture)) {
            notes.push(`${path} could not be scored by ${one.label}: ${picture.error.message}`);
            views.push(undefined);
            continue;
          }
          const drawn = await illustrate(
            { set, className, role: isAnomalous ? 'clear anomalous' : 'clear normal', picture },
            {
              addon,
              folder: one.folder,
              sets: one.run.dataSets,
              range: mapColours(one.run.settings),
              reading: recordedReading(one.run.settings),
            },
          );
          if (!isShown(drawn)) notes.push(`${path} cannot be shown: ${drawn.error.message}`);
          views.push(isShown(drawn) ? drawn : undefined);
        }
        pictures.push({ dataSet: name, className, path, isAnomalous, views });
      }
    }
  }
  return { pictures, notes };
}
