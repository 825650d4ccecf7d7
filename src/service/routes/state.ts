/** What the service says of itself: health, models, prompt sets, calibrations. */
import type { ModelFacts } from '../engine-messages.js';
import { modelOf, type Service } from '../service.js';

export function health(): object {
  return { status: 'alive' };
}

export function readiness({ supervisor, isDraining }: Service): { isReady: boolean; body: object } {
  const isReady = supervisor.isReady && !isDraining;
  const status = isDraining ? 'ending' : isReady ? 'ready' : 'starting';
  return { isReady, body: { status } };
}

export function modelBody({ name, facts, prompts, ...model }: ModelFacts): object {
  const { model: label, input, device, precision } = facts;
  return {
    name,
    model: label,
    ...model,
    input,
    device,
    precision,
    prompts: Object.keys(prompts),
  };
}

export function modelsBody({ supervisor }: Service): object {
  return { models: supervisor.models.map(modelBody) };
}

export function promptsBody(service: Service, name: string | undefined): object {
  const { name: model, prompts, defaultPrompts } = modelOf(service, name);
  return {
    model,
    default: defaultPrompts,
    prompts: Object.entries(prompts).map(([set, { learnedOn }]) => ({ name: set, learnedOn })),
  };
}
