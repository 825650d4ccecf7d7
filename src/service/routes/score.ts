/** POST /v1/score */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CraneError, toCraneError } from '../../errors.js';
import { chooseType, failureBody, isOfService, type ResultBody, resultBody } from '../answers.js';
import type { ScoreOrder } from '../engine-messages.js';
import { type AskedPictures, readPictures } from '../requests/read-pictures.js';
import type { RequestChoices } from '../requests/request-options.js';
import { checkPrompts, modelOf, type Service, throwIfAway } from '../service.js';
import type { Scored } from '../supervisor.js';
import { calibrationNamed } from './calibrations.js';
import { bankNamed } from './normals.js';
import { linesAsDone } from './result-lines.js';
import { whenGone } from './when-gone.js';

export const scoreAnswers = [
  'application/json',
  'application/x-ndjson',
  'application/jsonl',
  'image/png',
] as const;

export async function scoreRoute(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  throwIfAway(service);
  const type = chooseType(request.headers.accept, scoreAnswers);
  const place = service.admission.enter();
  reply.raw.once('close', place.leave);
  const asked = await readPictures(request.raw, { ...service.settings, place }, { takesMask: true });
  const signal = whenGone(reply);
  if (type === 'image/png') return answerWithHeatMap(service, asked, reply, signal);
  const order = orderOf(service, asked.choices);
  const works = asked.pictures.map(({ name, bytes }) =>
    scoreOne(service, { ...order, name }, bytes, signal, asked.mask?.bytes),
  );
  if (type !== 'application/json') {
    reply.type(type);
    return reply.send(Readable.from(linesAsDone(asked.pictures, works)));
  }
  if (asked.isSingle) return resultBody(asked.pictures[0]!.name, 0, await works[0]!);
  const results = await Promise.all(
    works.map((work, index) => bodyOf(asked.pictures[index]!.name, index, work)),
  );
  return { results, failed: results.filter((result) => 'error' in result).length };
}

async function answerWithHeatMap(
  service: Service,
  { pictures, choices, mask }: AskedPictures,
  reply: FastifyReply,
  signal: AbortSignal,
): Promise<unknown> {
  if (pictures.length !== 1)
    throw new CraneError('E_HTTP_ACCEPT', `one heat map is a picture; the request has ${pictures.length}`, {
      hint: 'ask for JSON with heatmap=true',
    });
  const { name, bytes } = pictures[0]!;
  const order = { ...orderOf(service, { ...choices, heatmap: true, map: false }), name };
  const { answer, heatmap } = await scoreOne(service, order, bytes, signal, mask?.bytes);
  reply.header('crane-score', String(answer.result.score));
  if (answer.result.anomalous !== null) reply.header('crane-anomalous', String(answer.result.anomalous));
  reply.type('image/png');
  return reply.send(Buffer.from(heatmap!));
}

/** A score's order, and the label that its result must have: thresholds of a calibration hold for no other. */
export type WantedScore = Omit<ScoreOrder, 'name'> & {
  settings?: string;
  /** the deadline is the service's own (requestTimeoutMs), not one that the request chose */
  isServicesDeadline: boolean;
};

/** @throws CraneError E_HTTP_NOT_FOUND, E_HTTP_RIGHT, E_USAGE */
export function orderOf(service: Service, given: RequestChoices): WantedScore {
  const calibration = calibrationNamed(service, given);
  const choices = calibration ? { ...calibration.choices, ...given } : given;
  const {
    calibration: _,
    model: name,
    map,
    mapType = 'float32',
    regions,
    heatmap,
    heatmapRange,
    normals,
    ...options
  } = choices;
  const model = modelOf(service, name);
  checkPrompts(model, options.prompts);
  const bank = normals === undefined ? undefined : bankNamed(service, normals);
  const { requestTimeoutMs } = service.settings;
  const deadlineMs = Math.min(options.deadlineMs ?? requestTimeoutMs, requestTimeoutMs);
  return {
    model: model.name,
    form: { kind: 'file' },
    options: {
      ...options,
      ...(bank === undefined ? {} : { normals: bank.path }),
      deadlineMs,
    },
    isServicesDeadline: deadlineMs === requestTimeoutMs,
    map: map ? mapType : null,
    regions: regions ?? false,
    heatmap: heatmap ? { range: heatmapRange ?? null } : null,
    ...(bank === undefined ? {} : { bank: bank.name }),
    ...(calibration ? { settings: calibration.settings } : {}),
  };
}

/** A deadline that the request chose is its own affair (4xx); that of the service is a fault that its operator should see (5xx). */
function waitedError(ms: number | undefined): CraneError {
  return new CraneError('E_HTTP_WAITED', `the picture waited ${ms} ms, and no forward pass began for it`, {
    hint: 'nothing was computed: try again later, or send fewer pictures at once',
  });
}

export async function scoreOne(
  { supervisor, figures }: Service,
  { settings, isServicesDeadline, ...order }: WantedScore & { name: string },
  bytes: Uint8Array,
  signal: AbortSignal,
  mask?: Uint8Array,
): Promise<Scored> {
  const scored = await supervisor.score(order, bytes, signal, mask).catch((thrown: unknown) => {
    const error = toCraneError(thrown);
    throw error.code === 'E_DEADLINE' && isServicesDeadline ? waitedError(order.options.deadlineMs) : error;
  });
  const { model } = scored.answer.result;
  if (settings !== undefined && model !== settings) {
    throw new CraneError('E_USAGE', `the calibration holds for ${settings}, and this request is ${model}`, {
      hint: 'leave the other options away, or calibrate with them',
    });
  }
  figures.countScored(order.model, scored.answer);
  return scored;
}

async function bodyOf(name: string, index: number, work: Promise<Scored>): Promise<ResultBody> {
  try {
    return resultBody(name, index, await work);
  } catch (thrown) {
    const error = toCraneError(thrown);
    if (isOfService(error)) throw error;
    return failureBody(name, index, error);
  }
}
