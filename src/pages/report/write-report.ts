/** Writes report.html of a finished test: reads the pictures it shows, their masks and kept maps. */

import { join } from 'node:path';
import type { NativeAddon } from '../../addon/native.js';
import { throwIfCancelled } from '../../cancellation.js';
import { writeWhole } from '../../files/write-whole.js';
import { legend } from '../../images/heat-map.js';
import { recordedReading } from '../../images/reading.js';
import { mapColours } from '../../methods/registry.js';
import type { TestRun } from '../../runs/test-run.js';
import { choosePictures } from './choose-pictures.js';
import { clientScripts } from './client-scripts.js';
import { type Illustration, illustrate, isShown } from './illustrate.js';
import { reportPage } from './page.js';
import { count } from './text.js';

export interface ReportOptions {
  /** the run's folder: kept maps are read from it */
  folder: string;
  addon: NativeAddon;
  /** default report.html in the folder */
  path?: string;
  overwrite: boolean;
  /** what the run itself does not hold, for instance when it was made */
  made?: readonly (readonly [term: string, value: string])[];
  /** map values of the first and the last colour */
  range?: { low: number; high: number };
  /** most pictures on the page; each takes about 60 KB */
  mostPictures?: number;
  /** of the page; default: those that were built with the package */
  scripts?: readonly string[];
  signal?: AbortSignal;
}

export const reportFile = 'report.html';
const k_mostPictures = 96;
const k_legendWidth = 360;

/** @returns the path of the page; @throws CraneError E_EXISTS, E_IO_WRITE, E_CANCELLED */
export async function writeReport(run: TestRun, options: ReportOptions): Promise<string> {
  const { folder, addon, overwrite, made = [], range = mapColours(run.settings), signal } = options;
  const { mostPictures = k_mostPictures, path = join(folder, reportFile) } = options;
  const { pictures, leftOut } = choosePictures(run.dataSets, mostPictures);
  const illustrations: Illustration[] = [];
  const pictureNotes: string[] = [];
  if (leftOut > 0)
    pictureNotes.push(`${count(leftOut, 'more picture')} left out: this page shows ${mostPictures} at most.`);
  const scripts = options.scripts ?? (await clientScripts());
  for (const chosen of pictures) {
    throwIfCancelled(signal);
    const drawn = await illustrate(chosen, {
      addon,
      folder,
      sets: run.dataSets,
      range,
      reading: recordedReading(run.settings),
    });
    if (isShown(drawn)) illustrations.push(drawn);
    else pictureNotes.push(`${chosen.picture.path} cannot be shown: ${drawn.error.message}`);
  }
  const style = { ...range, mapThreshold: run.settings.mapThreshold, format: 'jpg' as const };
  const page = reportPage({
    run,
    made,
    illustrations,
    legend: await legend(addon, k_legendWidth, style),
    range,
    pictureNotes,
    scripts,
  });
  await writeWhole(
    path,
    [...page].map((piece) => Buffer.from(piece)),
    { overwrite },
  );
  return path;
}
