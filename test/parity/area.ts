/** What every area of the parity tests gets, and what it is. */
import type { NativeAddon } from '#crane/addon/native.js';
import type { FixtureFolder } from './fixture/folder.js';
import type { ToyModels } from './models/toy-models.js';
import type { RunReport } from './report/run-report.js';

export interface Workshop {
  folder: FixtureFolder;
  addon: NativeAddon;
  report: RunReport;
  /** present where the folder holds toy/recipe.json */
  toys: ToyModels | undefined;
}

export interface Area {
  name: string;
  run(workshop: Workshop): Promise<void>;
}
