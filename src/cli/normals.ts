/** `crane-native normals learn|add|check|show`: banks of normal pictures. */

import type { Argv, CommandModule } from 'yargs';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import { normals } from '../methods/normals.js';
import { backgroundText } from '../normals/background-text.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { flagName } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { visible } from '../terminal/visible.js';
import { type Context, say, warningsTo } from './context.js';
import { flagsFor, learningOptions, optionsFor, optionsIn, readFlags } from './flags.js';
import { k_remembered, learningValues, useOf, valuesOf } from './normals-memory.js';
import { startProgress } from './progress.js';
import { sayScan, sayWarnings } from './say-scan.js';
import { familyCommand, lastText, printJson } from './subcommands.js';

type Arguments = Record<string, unknown>;

const k_ofBanks: readonly OptionName[] = ['normals', 'normalsFrom', 'evidence'];
const k_reading: readonly OptionName[] = ['bitDepth', 'valueRange', 'compat.exif', 'compat.grey16'];
const k_engine: readonly OptionName[] = [...optionsIn('Engine'), ...k_reading, 'json'];
const k_scoring = Object.keys(normals.settings) as (keyof typeof normals.settings)[];
const k_learning = optionsIn('Normals').filter((name) => !k_ofBanks.includes(name));

export function normalsCommand(context: Context): CommandModule {
  return familyCommand({
    name: 'normals',
    describe: 'learn, extend and check banks of good pictures, which score --normals compares with',
    usage: 'Looks after banks of normal pictures (docs/normals.md).',
    what: 'a bank of normal pictures',
    members: [learnCommand(context), addCommand(context), checkCommand(context), showCommand(context)],
  });
}

function learnCommand(context: Context): CommandModule {
  const ofMethod = ['method', ...k_remembered] as const;
  const names = [...k_engine, 'evidence', ...ofMethod, ...k_learning, 'followLinks', 'out', 'force'] as const;
  return {
    command: 'learn [inputs..]',
    describe: 'make a bank of good pictures',
    builder: (yargs) => {
      const flags = flagsFor(names);
      return withInputs(yargs)
        .options({
          ...flags,
          out: { ...flags['out'], describe: 'the file to write, for instance part.normals.safetensors' },
        })
        .example('$0 normals learn good --out part.normals.safetensors', 'of all pictures in a folder')
        .example(
          '$0 normals learn good --method winclip --out part.winclip.safetensors',
          'what WinCLIP compares with beside its sentences',
        );
    },
    handler: async (argv) => {
      const values = learningValues(
        readFlags(argv, names) as AllOptions,
        (name) => argv[flagName(name)] !== undefined,
      );
      const inputs = inputsOf(argv, 'learn');
      const out = outOf(values);
      await refuseTaken(out, values.force);
      await expectThere(inputs, values);
      await withEngine(context, values, async (engine) => {
        const bank = await learn(context, engine, inputs, values);
        await bank.save(out, { overwrite: values.force });
        tell(context, out, bank, values.json);
      });
    },
  };
}

function addCommand(context: Context): CommandModule {
  const names = [...k_engine, 'evidence', 'followLinks', 'out', 'force'] as const;
  return {
    command: 'add [bank] [inputs..]',
    describe: 'a bank with further good pictures; what entered is in its list',
    builder: (yargs) => {
      const flags = flagsFor(names);
      return withInputs(yargs.positional('bank', { type: 'string', describe: 'the file of a bank' }))
        .options({
          ...flags,
          out: { ...flags['out'], describe: 'the file to write; with --force also the bank itself' },
        })
        .example('$0 normals add part.normals.safetensors accepted --out next.normals.safetensors', '');
    },
    handler: async (argv) => {
      const given = readFlags(argv, names) as AllOptions;
      const path = bankOf(argv, 'add');
      const inputs = inputsOf(argv, 'add');
      const out = outOf(given);
      await refuseTaken(out, given.force);
      await expectThere(inputs, given);
      const { readBankFacts } = await import('../normals/read-bank-facts.js');
      const { addon } = await context.loadAddon();
      const values = valuesOf(await readBankFacts(addon, path), given);
      await withEngine(context, values, async (engine) => {
        const { choicesOf, chosenAlready } = await import('../engine/learn-normals.js');
        const before = await engine.openNormals(path);
        if (before.facts.size !== undefined) throw chosenAlready();
        const { pictures } = before.facts;
        const isMemory = before.facts.method !== undefined;
        const learning = isMemory ? values : { ...values, ...choicesOf(before.facts) };
        const more = await learn(context, engine, inputs, learning, (paths) => refuseKnown(paths, pictures));
        const all = await engine.mergeNormals([before, more]);
        await all.save(out, { overwrite: values.force });
        tell(context, out, all, values.json);
      });
    },
  };
}

function checkCommand(context: Context): CommandModule {
  const names = [...k_engine, ...k_scoring] as const;
  return {
    command: 'check [bank]',
    describe:
      'pictures of a bank that look unlike the others or nearly like another, and what rates it can hold',
    builder: (yargs) =>
      yargs
        .positional('bank', { type: 'string', describe: 'the file of a bank' })
        .options(flagsFor(names))
        .example('$0 normals check part.normals.safetensors', ''),
    handler: async (argv) => {
      const values = readFlags(argv, names) as AllOptions;
      const path = bankOf(argv, 'check');
      const { readBankFacts } = await import('../normals/read-bank-facts.js');
      const { addon } = await context.loadAddon();
      const { method } = await readBankFacts(addon, path);
      if (method !== undefined)
        throw new CraneError(
          'E_USAGE',
          `${path}: the memory of method ${method}, which gives no scores of its own pictures`,
          { hint: 'check banks of normals learn without --method' },
        );
      await withEngine(context, values, async (engine) => {
        const { checkBank, checkLines } = await import('../scoring/check-bank.js');
        const { haveNoCopy } = await import('../normals/copies.js');
        const bank = await engine.openNormals(path);
        const given = Object.fromEntries(
          k_scoring.map((name) => [name, values[name]]).filter(([, value]) => value !== undefined),
        );
        // Of two nearly equal pictures each has the other as its one near neighbour.
        const method = { neighbours: 1, ...given };
        const speaking = haveNoCopy(bank.facts.pictures).filter(Boolean).length;
        const report = checkBank(await engine.banks.ownScores(bank, method), speaking);
        if (values.json) return printJson(context, report);
        for (const line of checkLines(report)) context.stdout.write(`${visible(line)}\n`);
      });
    },
  };
}

function showCommand(context: Context): CommandModule {
  return {
    command: 'show [bank]',
    describe: 'what a bank says of itself: model, blocks, pictures',
    builder: (yargs) =>
      yargs
        .positional('bank', { type: 'string', describe: 'the file of a bank' })
        .options(flagsFor(['json'])),
    handler: async (argv) => {
      const { json } = readFlags(argv, ['json']);
      const path = bankOf(argv, 'show');
      const { readBankFacts } = await import('../normals/read-bank-facts.js');
      const { bankIdentity, bankText } = await import('../normals/bank-facts.js');
      const { addon } = await context.loadAddon();
      const facts = await readBankFacts(addon, path);
      if (json) return printJson(context, { ...facts, identity: bankIdentity(facts) });
      const { model, pictures } = facts;
      const [where, ...how] = bankText(facts);
      const isMemory = facts.method !== undefined;
      context.stdout.write(`${visible(`model ${model}, ${isMemory ? '' : 'patches after '}${where}`)}\n`);
      if (!isMemory) context.stdout.write(`each picture in ${how.join(', ')}\n`);
      for (const { name, sha256 } of pictures)
        context.stdout.write(`${sha256.slice(0, 12)}  ${visible(name)}\n`);
      const background = backgroundText(facts);
      if (background !== undefined) say(context, background);
      say(context, `${pictures.length} pictures`);
    },
  };
}

function withInputs(yargs: Argv): Argv {
  return yargs.positional('inputs', {
    type: 'string',
    array: true,
    describe: 'good pictures: files, folders, globs, @list',
  });
}

function inputsOf(argv: Arguments, command: string): string[] {
  const inputs = [argv['inputs'], argv['--']].flatMap((list) => (list as string[] | undefined) ?? []);
  if (inputs.length > 0) return inputs;
  throw new CraneError('E_USAGE', `normals ${command} needs good pictures`, {
    hint: 'a folder, files, a glob or @list',
  });
}

function bankOf(argv: Arguments, command: string): string {
  const path = lastText(argv['bank']);
  if (path !== undefined) return path;
  throw new CraneError('E_USAGE', `normals ${command} needs the file of a bank`, {
    hint: 'make one: crane-native normals learn FOLDER --out FILE',
  });
}

function outOf({ out }: AllOptions): string {
  if (out !== undefined) return out;
  throw new CraneError('E_USAGE', 'name the file to write', { hint: '--out part.normals.safetensors' });
}

/** Told before the pictures are learned. */
async function refuseTaken(out: string, force: boolean): Promise<void> {
  const { exists, isThere } = await import('../files/write-whole.js');
  if (!force && (await isThere(out))) throw exists(out);
}

/** Told before a model is loaded. */
async function expectThere(inputs: readonly string[], { followLinks = false }: AllOptions): Promise<void> {
  const { listGood } = await import('../scoring/bank-of-pictures.js');
  await listGood({ inputs, followLinks });
}

/** A picture that is there twice would count as two. Told before anything is learned. */
async function refuseKnown(
  paths: readonly string[],
  pictures: NormalBank['facts']['pictures'],
): Promise<void> {
  const { contentHash } = await import('../files/content-hash.js');
  const inBank = new Set(pictures.map(({ sha256 }) => sha256));
  const hashes: string[] = [];
  for (const path of paths) hashes.push(await contentHash(path));
  const known = paths.filter((_, i) => inBank.has(hashes[i]!));
  const again = paths.filter((_, i) => hashes.indexOf(hashes[i]!) < i);
  const [first] = [...known, ...again];
  if (first === undefined) return;
  const why =
    known.length > 0
      ? `is in the bank already (${known.length} of ${paths.length} pictures are)`
      : 'is there twice, perhaps under another name';
  throw new CraneError('E_USAGE', `${first}: ${why}`, {
    hint: 'a picture that is there twice would count as two: name only new ones',
  });
}

async function withEngine(
  context: Context,
  values: AllOptions,
  use: (engine: Engine) => Promise<void>,
): Promise<void> {
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const model = await findModel(values.model, context.env);
  const { addon } = await context.loadAddon();
  const engine = optionsFor('loadEngine', values);
  // These are of a call: the engine's own method is the model's.
  for (const name of k_scoring) delete engine[name];
  const opened = await openEngine(addon, model, { ...engine, ...warningsTo(context) });
  try {
    await use(opened);
  } finally {
    await opened.dispose();
  }
}

async function learn(
  context: Context,
  engine: Engine,
  inputs: string[],
  values: AllOptions,
  check: (paths: readonly string[]) => Promise<void> = async () => {},
): Promise<NormalBank> {
  const { learnGood, listGood } = await import('../scoring/bank-of-pictures.js');
  const progress = startProgress(context);
  try {
    const given = {
      inputs,
      followLinks: values.followLinks ?? false,
      signal: context.stop,
      onTotal: progress.total,
      onProgress: () => progress.step(),
      onNotes: (lines: string[]) => {
        progress.clear();
        sayWarnings(context, lines, values.json);
      },
    };
    const listed = await listGood(given);
    progress.clear();
    sayScan(context, listed.scan, values.json);
    await check(listed.paths);
    return await learnGood(engine, listed, learningOptions(values), given);
  } finally {
    progress.stop();
  }
}

function tell(context: Context, out: string, bank: NormalBank, json: boolean): void {
  const { pictures } = bank.facts;
  if (json) {
    printJson(context, { file: out, ...bank.facts, identity: bank.identity });
    return;
  }
  say(
    context,
    visible(
      `${out}: a ${bank.facts.method === undefined ? 'bank' : 'memory'} of ${pictures.length} normal pictures`,
    ),
  );
  const background = backgroundText(bank.facts);
  if (background !== undefined) say(context, background);
  say(context, `use it: npx crane-native score PICTURES ${useOf(bank.facts, out)}`);
}
