/** `crane-native data index|check|list`. */

import type { Argv, CommandModule } from 'yargs';
import type { DataSet } from '../data/data-set.js';
import type { SetSummary } from '../data/summary.js';
import { CraneError } from '../errors.js';
import type { OptionName } from '../options/types.js';
import { shellPath } from '../terminal/shell-word.js';
import { type Context, paintOf, printPath, say, sayPainted } from './context.js';
import { flagsFor, optionsIn, readFlags, readingOf } from './flags.js';
import { startProgress } from './progress.js';
import { familyCommand, printJson } from './subcommands.js';

type Arguments = Record<string, unknown>;

const k_reading: readonly OptionName[] = ['layout', ...optionsIn('Data sets')];

/** How the data set is to be read. */
function readingIn(argv: Arguments) {
  const values = readFlags(argv, k_reading);
  return { layout: values.layout ?? 'auto', ...readingOf(values) };
}

export function dataCommand(context: Context): CommandModule {
  return familyCommand({
    name: 'data',
    describe: 'make an index of a data set, check it, count it',
    usage: 'Looks after data sets: labelled pictures, mostly with masks.',
    what: 'a data set',
    members: [indexCommand(context), checkCommand(context), listCommand(context)],
  });
}

function indexCommand(context: Context): CommandModule {
  return {
    command: 'index [root]',
    describe: 'write meta.json, the index that training and testing read, from folders',
    builder: (yargs) =>
      commonFlags(yargs, 'the result as JSON on stdout')
        .positional('root', { type: 'string', describe: 'folder of the data set' })
        .options(
          flagsFor(['out', 'annotations', 'maxPixels', 'force'], {
            out: {
              describe: 'the file to write, in the root or above it',
              defaultDescription: 'ROOT/meta.json',
            },
            maxPixels: { describe: 'with --annotations: no mask is made of a picture with more pixels' },
          }),
        )
        .example('$0 data index photos --annotations photos', 'labelme files beside the pictures')
        .example('$0 data index parts', 'parts/test/CLASS/good, parts/test/CLASS/scratch, ...')
        .example('$0 data index btad --layout btad', 'when the folders could be several things'),
    handler: async (argv) => {
      const root = rootOf(argv, 'index');
      const {
        force = false,
        out,
        annotations,
        maxPixels,
      } = readFlags(argv, ['force', 'out', 'annotations', 'maxPixels']);
      if (annotations === undefined && argv['max-pixels'] !== undefined)
        throw new CraneError('E_USAGE', '--max-pixels is for --annotations: an index opens no picture', {
          hint: 'leave it out, or look at every picture: npx crane-native data check',
        });
      const { indexDataSet } = await import('../data/index-data-set.js');
      const { indexAnnotated } = await import('../data/index-annotated.js');
      const { summarise } = await import('../data/summary.js');
      const options = {
        ...readingIn(argv),
        overwrite: force,
        ...(out === undefined ? {} : { out }),
      };
      const made = await (annotations === undefined
        ? indexDataSet(root, options)
        : indexAnnotated(root, annotations, { ...options, maxPixels }));
      const [test, train] = summarise([made.sets.test, made.sets.train]).sets;
      const warnings = [...made.sets.test.warnings, ...made.sets.train.warnings];
      if (argv['json']) {
        const { file, layout: name, layoutReason } = made;
        return printJson(context, {
          file,
          layout: name,
          layoutReason,
          test,
          train,
          scan: made.scan,
          warnings,
        });
      }
      const { counted, countsTable, sourceLine } = await import('../data/tables.js');
      const { scanLine } = await import('../scan/scan-account.js');
      say(
        context,
        sourceLine({ ...made, name: made.sets.test.name, normalKinds: normalKindsOf(test!, train!) }),
      );
      say(context, scanLine(made.scan));
      if (made.masks !== undefined)
        say(context, `${counted(made.masks, 'mask')} written below ${made.sets.test.root}/masks`);
      sayPainted(context, countsTable([test!, train!], paintOf(context)));
      for (const warning of warnings) say(context, `warning: ${warning}`);
      say(context, `look at every file of it: npx crane-native data check ${shellPath(root)}`);
      printPath(context, made.file);
    },
  };
}

function checkCommand(context: Context): CommandModule {
  return {
    command: 'check [root]',
    describe: 'look at every picture and mask: missing, damaged, of wrong size, empty, twice, other counts',
    builder: (yargs) =>
      commonFlags(yargs, 'the whole report as JSON on stdout')
        .positional('root', { type: 'string', describe: 'folder of the data set, or its meta.json' })
        .options(
          flagsFor(['maxPixels', 'bitDepth', 'valueRange', 'sheet', 'force'], {
            force: { describe: 'replace the page of --sheet' },
          }),
        )
        .example('$0 data check parts --sheet sheet.html', 'and a page of pictures with their masks')
        .example('$0 data check parts', 'exit code 3 when there are faults, 0 with warnings only'),
    handler: async (argv) => {
      const root = rootOf(argv, 'check');
      const { maxPixels, ...choices } = readFlags(argv, ['maxPixels', 'bitDepth', 'valueRange']);
      const { sheet, force = false } = readFlags(argv, ['sheet', 'force']);
      const { exists, isThere } = await import('../files/write-whole.js');
      // Not after an hour of looking.
      if (sheet !== undefined && !force && (await isThere(sheet))) throw exists(sheet);
      const { readingOf } = await import('../images/reading.js');
      const { checkDataSet } = await import('../data/check/check-data-set.js');
      const { counted, reportText } = await import('../data/tables.js');
      const progress = startProgress(context);
      const reading = { maxPixels: maxPixels!, reading: readingOf(choices) };
      let sets: readonly DataSet[] = [];
      const report = await checkDataSet(root, {
        ...readingIn(argv),
        ...reading,
        onSets: (read) => {
          sets = read;
        },
        stop: context.stop,
        onCount: progress.total,
        onPicture: progress.step,
      }).finally(progress.stop);
      if (argv['json']) printJson(context, report);
      else context.stdout.write(reportText(report, paintOf(context)));
      if (!argv['json'] && report.faults === 0 && report.test.normal + report.test.anomalous > 0)
        say(context, `test it: npx crane-native test ${shellPath(report.root)} --out results`);
      if (sheet !== undefined) {
        const { writeSheet } = await import('../pages/sheet/write-sheet.js');
        const page = { file: sheet, overwrite: force, report, sets, signal: context.stop };
        const { shown, pictures } = await writeSheet({ ...page, ...reading });
        const of = shown === pictures ? `all ${pictures}` : `${shown} of ${pictures}`;
        say(context, `${of} pictures with their masks: ${sheet}`);
      }
      if (report.faults > 0) {
        throw new CraneError('E_DATA_FAULTS', `${root}: ${counted(report.faults, 'fault')}`, {
          hint: `mend or leave out these files, then make a new index: npx crane-native data index ${shellPath(report.root)} --force`,
        });
      }
    },
  };
}

function listCommand(context: Context): CommandModule {
  return {
    command: 'list [root]',
    describe: 'the classes of a data set with their counts; without a folder: the known layouts',
    builder: (yargs) =>
      commonFlags(yargs, 'one JSON line for each class, or each layout, on stdout')
        .positional('root', { type: 'string', describe: 'folder of the data set, or its meta.json' })
        .example('$0 data list', 'the layouts that are read')
        .example('$0 data list parts', 'what is in a data set'),
    handler: async (argv) => {
      const [root] = rootsOf(argv);
      return root === undefined ? listLayouts(context, argv) : listClasses(context, argv, root);
    },
  };
}

async function listLayouts(context: Context, argv: Arguments): Promise<void> {
  const { layouts } = await import('../data/layouts/registry.js');
  if (argv['json']) {
    for (const { name, title, shape, published = null } of layouts)
      printJson(context, { name, title, shape, published });
    return;
  }
  const { layoutsTable } = await import('../data/tables.js');
  context.stdout.write(layoutsTable(layouts, paintOf(context)));
}

/** Files are looked up but not opened; what is missing is for `data check` to say. */
async function listClasses(context: Context, argv: Arguments, root: string): Promise<void> {
  const { findDataSource } = await import('../data/data-source.js');
  const { summarise } = await import('../data/summary.js');
  const { countsTable, sourceLine } = await import('../data/tables.js');
  const source = await findDataSource(root, readingIn(argv));
  const opened = [await source.open('test'), await source.open('train')];
  const { sets } = summarise(opened.map(({ set }) => set));
  const filled = sets.filter(({ classes }) => classes.length > 0);
  if (filled.length === 0)
    throw new CraneError('E_DATA_EMPTY', `${root}: no pictures in layout ${source.layout}`);
  for (const { faults, set } of opened) {
    for (const warning of set.warnings) say(context, `warning: ${warning}`);
    if (faults.length > 0)
      say(
        context,
        `warning: ${faults.length} files of ${set.split} cannot be used: npx crane-native data check ${shellPath(root)}`,
      );
  }
  if (argv['json']) {
    for (const { split, classes } of filled)
      for (const entry of classes) printJson(context, { split, ...entry });
    return;
  }
  context.stdout.write(
    `${sourceLine({
      name: source.name,
      layout: source.layout,
      layoutReason: opened[0]!.set.layoutReason,
      normalKinds: normalKindsOf(...sets),
    })}\n`,
  );
  context.stdout.write(`${countsTable(filled, paintOf(context))}\n`);
}

function normalKindsOf(...sets: readonly SetSummary[]): string[] {
  return [...new Set(sets.flatMap(({ normalKinds }) => normalKinds))];
}

function commonFlags(yargs: Argv, json: string): Argv {
  const { layout } = flagsFor(['layout']);
  return yargs.options({
    layout: { ...layout, group: 'Inputs:' },
    ...flagsFor([...optionsIn('Data sets'), 'json', 'verbose'], { json: { describe: json } }),
  });
}

function rootOf(argv: Arguments, command: string): string {
  const [root] = rootsOf(argv);
  if (root !== undefined) return root;
  throw new CraneError('E_USAGE', `${command} needs the folder of a data set`, {
    hint: 'known layouts of folders: npx crane-native data list',
  });
}

/** Arguments after `--` count even when they begin with a dash. */
function rootsOf(argv: Arguments): string[] {
  const after = (argv['--'] as unknown[] | undefined) ?? [];
  const roots = [argv['root'], ...after].filter((root) => root !== undefined).map(String);
  if (roots.length > 1) throw new CraneError('E_USAGE', `one data set at a time, not ${roots.length}`);
  return roots;
}
