/** The part of THE table (table.ts) that says how data sets are read, and what a scan of folders takes. */
import { choice, flag, type LibraryCall, type OptionSpec, text, words } from './kinds.js';
import type { DataChoices, IndexCommandOptions } from './types.js';

const local = ['cli', 'library'] as const;
const calls: readonly LibraryCall[] = ['openDataSet', 'createTrainer', 'evaluateDataSets', 'calibrate'];

export const dataOptions = {
  normalFolder: words({
    group: 'Data sets',
    scope: local,
    calls,
    defaultText: 'good, ok, normal and the like',
    help: 'names of folders whose pictures are normal',
  }),
  anomalousFolder: words({
    group: 'Data sets',
    scope: local,
    calls,
    defaultText: 'bad, ng, defect and the like, and all beside a normal folder',
    help: 'names of folders whose pictures are anomalous',
  }),
  unknownFolders: choice(['stop', 'anomalous'], {
    group: 'Data sets',
    scope: local,
    calls,
    default: 'stop',
    help: 'folders of which nobody knows whether they are normal: refuse them, or take them as anomalous',
  }),
  followLinks: flag({
    group: 'Data sets',
    scope: local,
    calls,
    default: false,
    help: 'take what symbolic links lead to, also outside of the folder that is named',
  }),
  maskValues: words({
    group: 'Data sets',
    scope: local,
    calls,
    defaultText: 'all above 0',
    help: 'values of label maps that are defects: 1,3 or "#ff0000" or names of --mask-labels',
  }),
  maskLabels: text({
    group: 'Data sets',
    scope: local,
    calls,
    defaultText: 'none',
    help: 'file with the value or colour of each name (CVAT, CamVid, JSON, NAME VALUE a line)',
  }),
} satisfies { readonly [K in keyof DataChoices]-?: OptionSpec<Exclude<DataChoices[K], undefined>> };

export const indexCommandOptions = {
  annotations: text({
    group: 'Index',
    scope: ['cli'],
    defaultText: 'none',
    help: 'make masks of what was drawn: labelme, COCO, YOLO, Severstal, DAGM; a file or a folder',
  }),
  sheet: text({
    group: 'Index',
    scope: ['cli'],
    defaultText: 'none',
    help: 'write a page of pictures with their masks and findings, to be looked at in a minute: FILE.html',
  }),
} satisfies { readonly [K in keyof IndexCommandOptions]: OptionSpec<IndexCommandOptions[K]> };
