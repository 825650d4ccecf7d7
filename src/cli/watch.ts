/** `crane-native watch`: scores pictures as they arrive in a folder, and delivers the results. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import type { Engine } from '../engine/engine.js';
import { CraneError } from '../errors.js';
import type { AllOptions, OptionName } from '../options/types.js';
import { type Context, say, warningsTo } from './context.js';
import { flagsFor, optionsFor, optionsIn, readFlags } from './flags.js';
import { lastText } from './subcommands.js';

const names = [
  ...optionsIn('Watching', 'Engine', 'Method', 'Compatibility'),
  ...(['recursive', 'regions', 'roi', 'ignore', 'prompts', 'className', 'fit', 'tileOverlap'] as const),
  ...(['threshold', 'mapThreshold', 'bitDepth', 'valueRange', 'parallel', 'json'] as const),
] satisfies OptionName[];

/** What is not confirmed by then is delivered at the next start. */
const k_graceMs = 5000;

export function watchCommand(context: Context): CommandModule {
  return {
    command: 'watch [folder]',
    describe: 'score pictures as they arrive in a folder; results as JSON lines, to a webhook, by MQTT',
    builder: (yargs) =>
      yargs
        .positional('folder', { type: 'string', describe: 'where pictures arrive' })
        .options(flagsFor(names)),
    handler: (argv) => watch(context, argv),
  };
}

async function watch(context: Context, argv: Record<string, unknown>): Promise<void> {
  const given = lastText(argv['folder']);
  if (given === undefined)
    throw new CraneError('E_USAGE', 'name the folder that is watched', { hint: 'crane-native watch FOLDER' });
  const folder = resolve(given);
  const values = readFlags(argv, names) as Partial<AllOptions>;
  refuseTopicAlone(argv);
  const { kindOf } = await import('../files/kind-of.js');
  if ((await kindOf(folder)) !== 'folder')
    throw new CraneError('E_INPUT_NOT_FOUND', `${given}: there is no such folder`);
  refuseTopicAlone(argv);
  const { findModel } = await import('../models/find-model.js');
  const { openEngine } = await import('../engine/load-engine.js');
  const { WatchJournal } = await import('../service/watch/journal.js');
  const { watchFolder } = await import('../service/watch/watch-folder.js');
  const { thresholdText } = await import('../sinks/row-kind.js');
  const { printJson } = await import('./subcommands.js');
  const model = await findModel(values.model!, context.env);
  const receivers = await receiversOf(values);
  const open: { close(): Promise<void> }[] = [...receivers];
  let engine: Engine | undefined;
  try {
    const journal = await WatchJournal.open(
      values.state ?? `${folder}.crane-watch.jsonl`,
      receivers.map(({ name }) => name),
    );
    open.push(journal);
    const { addon } = await context.loadAddon();
    engine = await openEngine(addon, model, { ...optionsFor('loadEngine', values), ...warningsTo(context) });
    const { threshold } = await engine.settledSettings();
    for (const earlier of journal.judgedOtherwise(engine.facts.model, threshold)) {
      say(
        context,
        `${earlier.count} results of --state were judged by ${thresholdText(earlier.threshold)}, now it is ${thresholdText(threshold)}: what has its result is not judged again`,
      );
    }
    const running = await watchFolder({
      folder,
      recursive: values.recursive ?? false,
      settleMs: values.settleMs!,
      moveTo: values.moveTo === undefined ? undefined : resolve(values.moveTo),
      regions: values.regions ?? false,
      area: {
        ...(values.roi ? { roi: values.roi } : {}),
        ...(values.ignore === undefined ? {} : { ignore: resolve(values.ignore) }),
      },
      engine,
      journal,
      receivers,
      events: {
        onResult: (delivery) => printJson(context, delivery),
        onKnown: (name) => say(context, `${name}: scored before, not again`),
        onFault: (name, message) => say(context, `${name}: ${message}`),
        onDelayed: (receiver, reason, waitMs) =>
          say(context, `${receiver}: ${reason}; again in ${waitMs / 1000} s`),
        onRefused: (receiver, key, reason) =>
          say(context, `${receiver}: ${reason}; ${key} is not sent again`),
        onUnrecorded: (receiver, key, reason) =>
          say(
            context,
            `${receiver} has ${key}, which could not be written down: ${reason}; it comes again after a restart`,
          ),
      },
    });
    // From here on the watch closes what it was given.
    open.length = 0;
    say(context, `watching ${given}; Ctrl-C ends`);
    const told = new Promise<void>((done) => {
      if (context.stop.aborted) done();
      else context.stop.addEventListener('abort', () => done(), { once: true });
    });
    const isLost = await Promise.race([told.then(() => false), running.lost.then(() => true)]);
    await running.stop(k_graceMs);
    if (isLost) {
      throw new CraneError(
        'E_INPUT_NOT_FOUND',
        `${given}: the folder is gone, or another one is in its place`,
        {
          hint: 'start the watch again once it is back: what has its result is not scored again, and what was not delivered is',
        },
      );
    }
  } finally {
    await Promise.all(open.map((one) => one.close()));
    await engine?.dispose();
  }
}

/** @throws CraneError E_USAGE */
function refuseTopicAlone(argv: Record<string, unknown>): void {
  if (argv['mqtt-topic'] !== undefined && argv['mqtt'] === undefined)
    throw new CraneError('E_USAGE', '--mqtt-topic says nothing without --mqtt');
}

async function receiversOf({ deliver, webhook, webhookSecret, mqtt, mqttTopic }: Partial<AllOptions>) {
  const { jsonLinesReceiver, mqttReceiver, webhookReceiver } = await import('../service/watch/receivers.js');
  if (webhookSecret !== undefined && webhook === undefined)
    throw new CraneError('E_USAGE', '--webhook-secret says nothing without --webhook');
  const secret = webhookSecret === undefined ? undefined : await readSecret(webhookSecret);
  return [
    ...(deliver === undefined ? [] : [await jsonLinesReceiver(deliver)]),
    ...(webhook === undefined ? [] : [webhookReceiver(webhook, secret)]),
    ...(mqtt === undefined ? [] : [await mqttReceiver(mqtt, mqttTopic!)]),
  ];
}

async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CraneError('E_IO_READ', `${path}: the secret cannot be read`, { cause });
  });
  const secret = text.trim();
  if (secret === '') throw new CraneError('E_USAGE', `${path}: there is no secret in it`);
  return secret;
}
