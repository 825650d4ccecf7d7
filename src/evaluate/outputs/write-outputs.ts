/** The files of a finished run. The same run gives the same bytes. */
import { encodeRun } from '../../runs/run-json.js';
import type { TestRun } from '../../runs/test-run.js';
import type { TestFolder } from '../test-folder.js';
import { picturesCsv, resultsCsv } from './csv.js';
import { latex } from './latex.js';
import { markdown } from './markdown.js';

export async function writeOutputs(folder: TestFolder, run: TestRun): Promise<void> {
  await folder.write('results.json', encodeRun(run));
  await folder.write('results.csv', resultsCsv(run));
  await folder.write('pictures.csv', picturesCsv(run));
  await folder.write('results.md', markdown(run));
  await folder.write('results.tex', latex(run));
}
