/** What the routes share. */
import { CraneError } from '../errors.js';
import type { Admission } from './admission.js';
import type { ModelFacts } from './engine-messages.js';
import type { Figures } from './figures.js';
import type { DataFolder } from './kept/data-folder.js';
import type { RequestChoices } from './requests/request-options.js';
import type { ServiceSettings } from './settings.js';
import type { Supervisor } from './supervisor.js';
import type { AccessTokens } from './tokens.js';
import type { Tracing } from './tracing.js';

export interface Service {
  settings: ServiceSettings;
  supervisor: Supervisor;
  admission: Admission;
  figures: Figures;
  tokens: AccessTokens | undefined;
  /** what clients keep here; undefined: the operator names no folder for it */
  data: DataFolder | undefined;
  version: string;
  /** undefined: nobody wants to be told of spans */
  tracing: Tracing | undefined;
  /** told to stop: what was accepted is finished, nothing more is taken */
  isDraining: boolean;
}

/** The model that a request names, or the first. @throws CraneError E_HTTP_NOT_FOUND */
export function modelOf({ supervisor }: Service, name: string | undefined): ModelFacts {
  const { models } = supervisor;
  const found = name === undefined ? models[0] : models.find((model) => model.name === name);
  if (found) return found;
  throw new CraneError('E_HTTP_NOT_FOUND', `no model is called ${JSON.stringify(name?.slice(0, 80) ?? '')}`, {
    hint: `there are ${models.map((model) => model.name).join(', ')}`,
  });
}

/** @throws CraneError E_HTTP_NOT_FOUND */
export function checkPrompts({ name, prompts }: ModelFacts, chosen: RequestChoices['prompts']): void {
  if (chosen === undefined || Object.hasOwn(prompts, chosen)) return;
  const shown = JSON.stringify(chosen.slice(0, 80));
  throw new CraneError('E_HTTP_NOT_FOUND', `${name} has no prompt set ${shown}`, {
    hint: `it has ${Object.keys(prompts).join(', ')}`,
  });
}

/** @throws CraneError E_SERVICE_DOWN */
export function throwIfAway({ isDraining, supervisor }: Service): void {
  if (isDraining) throw new CraneError('E_SERVICE_DOWN', 'the service is about to end');
  if (!supervisor.isReady) throw new CraneError('E_SERVICE_DOWN', 'the engine is being started again');
}
