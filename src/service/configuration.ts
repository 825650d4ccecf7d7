/** The configuration file of the service: which models and prompt sets there are, and any option of the operator's. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { OptionSpec } from '../options/kinds.js';
import { findOption, optionNames, options } from '../options/table.js';
import type { AllOptions, OptionName } from '../options/types.js';

export type Given = Partial<AllOptions>;

/** Everything that an operator may say, in the table's order. */
export const serveNames: readonly OptionName[] = optionNames.filter((name) =>
  (options[name].scope as readonly string[]).includes('serve'),
);
export const k_ownNames = serveNames.filter((name) => options[name].group === 'Service' && name !== 'config');
/** Files, taken from the folder of the configuration file. */
const k_files: readonly string[] = ['tokenFile', 'tlsCert', 'tlsKey', 'dataFolder'];
/** Of each model, beside `promptSets`. */
export const k_modelNames = serveNames.filter(
  (name) => options[name].group !== 'Service' && name !== 'maxQueue',
);
/** Of all models, unless one says otherwise. */
export const k_sharedNames = k_modelNames.filter((name) => name !== 'model' && name !== 'prompts');
export const k_modelName = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/;

export interface Configuration {
  own: Given;
  models: { name: string; own: Given; promptSets: Record<string, string> }[];
}

/**
 * YAML, of which JSON is a part.
 * @throws CraneError E_SERVICE_CONFIG, with the fault's line and key; E_IO_READ
 */
export async function readConfiguration(path: string): Promise<Configuration> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CraneError('E_IO_READ', `${path}: the configuration file cannot be read`, { cause });
  });
  const { LineCounter, parseDocument, isMap, isScalar } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, maxAliasCount: 0 } as object);
  const fault = (offset: number | undefined, what: string, hint?: string) => {
    const line = offset === undefined ? '' : `:${lines.linePos(offset).line}`;
    return new CraneError('E_SERVICE_CONFIG', `${path}${line}: ${what}`, { hint });
  };
  const [broken] = document.errors;
  if (broken)
    throw fault(broken.pos[0], broken.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''));
  const folder = dirname(resolve(path));
  const configuration: Configuration = { own: {}, models: [] };

  /** Keys with what they hold and where they stand. */
  const entriesOf = (node: unknown, where: string) => {
    if (!isMap(node)) {
      const offset = (node as { range?: [number] } | null)?.range?.[0];
      throw fault(offset, `Expected keys with values for ${where}`);
    }
    return node.items.map(({ key, value }) => {
      const offset = (key as { range?: [number] } | null)?.range?.[0];
      if (!isScalar(key) || typeof key.value !== 'string')
        throw fault(offset, `a key of ${where} that is no name`);
      return { key: key.value, node: value, offset };
    });
  };
  const plain = (node: unknown): unknown => {
    const { toJS } = (node ?? {}) as { toJS?: (document: unknown) => unknown };
    return toJS ? toJS.call(node, document) : node;
  };
  const take = (
    into: Given,
    { key, node, offset }: { key: string; node: unknown; offset: number | undefined },
    where: string,
  ) => {
    const value = plain(node);
    const spec = findOption(key) as OptionSpec<unknown>;
    if (!spec.accepts(value)) {
      const shown = JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
      throw fault(offset, `Expected ${spec.expected} for ${where}${key} but received ${shown}`);
    }
    (into as Record<string, unknown>)[key] = k_files.includes(key) ? resolve(folder, value as string) : value;
  };
  const unknown = (key: string, offset: number | undefined, where: string, known: readonly string[]) => {
    const nearest = nearestName(key, known);
    return fault(
      offset,
      `there is no key "${where}${key}"`,
      nearest ? `did you mean "${nearest}"?` : `there are ${known.join(', ')}`,
    );
  };

  if (document.contents === null) return configuration;
  const topNames = [...k_ownNames, 'maxQueue', ...k_sharedNames] as readonly string[];
  for (const entry of entriesOf(document.contents, 'the file')) {
    if (topNames.includes(entry.key)) take(configuration.own, entry, '');
    else if (entry.key !== 'models') throw unknown(entry.key, entry.offset, '', [...topNames, 'models']);
    else {
      for (const model of entriesOf(entry.node, 'models')) {
        if (!k_modelName.test(model.key))
          throw fault(
            model.offset,
            `"${model.key}" is no name for a model: letters, digits, + . _ -, at most 64`,
          );
        const where = `models.${model.key}.`;
        const own: Given = {};
        const promptSets: Record<string, string> = {};
        const parts =
          isScalar(model.node) && model.node.value === null
            ? []
            : entriesOf(model.node ?? {}, `models.${model.key}`);
        for (const part of parts) {
          if ((k_modelNames as readonly string[]).includes(part.key)) take(own, part, where);
          else if (part.key !== 'promptSets')
            throw unknown(part.key, part.offset, where, [...k_modelNames, 'promptSets']);
          else {
            for (const set of entriesOf(part.node, `${where}promptSets`)) {
              const file = plain(set.node);
              if (typeof file !== 'string' || file === '' || !k_modelName.test(set.key))
                throw fault(
                  set.offset,
                  `Expected a name and a prompt file for ${where}promptSets.${set.key}`,
                );
              promptSets[set.key] = resolve(folder, file);
            }
          }
        }
        // A path says so by its slash; the rest are names of models.
        if (own.model?.includes('/')) own.model = resolve(folder, own.model);
        configuration.models.push({ name: model.key, own, promptSets });
      }
    }
  }
  return configuration;
}
