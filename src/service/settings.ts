/** What the operator chose, complete: flags win over the configuration file, which wins over the table's defaults. */
import { CraneError } from '../errors.js';
import { defaultOf, options } from '../options/table.js';
import type { EngineOptions, OptionName, ServeOptions } from '../options/types.js';
import {
  type Configuration,
  type Given,
  k_modelName,
  k_modelNames,
  k_ownNames,
  k_sharedNames,
  readConfiguration,
} from './configuration.js';
import type { ServedModel } from './engine-messages.js';

type WithDefault = Exclude<keyof ServeOptions, 'config' | 'tokenFile' | 'tlsCert' | 'tlsKey' | 'dataFolder'>;

/** Of the service's own process, all files as absolute paths. */
export interface ServiceSettings extends Pick<ServeOptions, WithDefault> {
  tokenFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  dataFolder?: string;
  /** pictures that may be in the service at once */
  maxQueue: number;
  models: ServedModel[];
}

/**
 * @param flags what was given in the shell
 * @throws CraneError E_SERVICE_CONFIG, which names line and key; E_USAGE; E_IO_READ
 */
export async function readSettings(flags: Given): Promise<ServiceSettings> {
  const file = flags.config === undefined ? undefined : await readConfiguration(flags.config);
  const given: Given = { ...file?.own, ...flags };
  const own = <K extends WithDefault>(name: K): ServeOptions[K] => given[name] ?? defaultOf(name);
  const settings = {
    ...(Object.fromEntries(
      k_ownNames
        .map((name) => [name, name in given ? given[name] : options[name as WithDefault].default])
        .filter(([, value]) => value !== undefined),
    ) as unknown as Omit<ServiceSettings, 'models' | 'maxQueue'>),
    maxQueue: given.maxQueue ?? defaultOf('maxQueue'),
    models: modelsOf(flags, file),
  };
  if ((settings.tlsCert === undefined) !== (settings.tlsKey === undefined))
    throw new CraneError('E_USAGE', 'TLS needs both tlsCert and tlsKey');
  if (own('maxFiles') > settings.maxQueue) {
    throw new CraneError(
      'E_USAGE',
      `maxFiles is ${own('maxFiles')} and maxQueue ${settings.maxQueue}: a request of so many pictures would never be taken`,
      { hint: 'lower maxFiles or raise maxQueue' },
    );
  }
  if (own('maxBody') > own('maxHeldBytes')) {
    throw new CraneError(
      'E_USAGE',
      `maxBody is ${own('maxBody')} and maxHeldBytes ${own('maxHeldBytes')}: a request of that size would never be taken`,
      { hint: 'lower maxBody or raise maxHeldBytes' },
    );
  }
  return settings;
}

/** Of a client's picture: one request with fit tile must not hold everybody up for hours. */
const k_maxTiles = 100;

/** A model by flags is one more, or says the same for all of the file where it names none. */
function modelsOf(flags: Given, file: Configuration | undefined): ServedModel[] {
  const said = pick(flags, k_modelNames);
  const queue = flags.maxQueue ?? file?.own.maxQueue ?? defaultOf('maxQueue');
  // The service itself keeps the limit; what was given up a moment ago may still be counted by the engine.
  const maxQueue = 2 * queue;
  if (!file || file.models.length === 0) {
    const model = flags.model ?? defaultOf('model');
    const name = k_modelName.test(model) ? model : (model.split('/').filter(Boolean).at(-1) ?? 'model');
    const own = pick(file?.own ?? {}, k_sharedNames);
    const options = { maxTiles: k_maxTiles, ...own, ...said, model, maxQueue };
    return [{ name, options: options as EngineOptions, promptSets: {} }];
  }
  if (flags.model !== undefined || flags.prompts !== undefined) {
    throw new CraneError(
      'E_USAGE',
      'the configuration file names the models: --model and --prompts say nothing beside it',
      {
        hint: 'leave them out, or name the model in the file',
      },
    );
  }
  return file.models.map(({ name, own, promptSets }) => {
    const prompts =
      own.prompts !== undefined && Object.hasOwn(promptSets, own.prompts)
        ? promptSets[own.prompts]!
        : own.prompts;
    const options = {
      model: name,
      maxTiles: k_maxTiles,
      ...pick(file.own, k_sharedNames),
      ...own,
      ...(prompts === undefined ? {} : { prompts }),
      ...said,
      maxQueue,
    };
    return { name, options: options as EngineOptions, promptSets };
  });
}

function pick(given: Given, names: readonly OptionName[]): Given {
  return Object.fromEntries(
    names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
  ) as Given;
}
