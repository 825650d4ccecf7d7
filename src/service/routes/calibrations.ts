/** Thresholds that clients choose by labelled pictures, and keep by name: POST, GET, DELETE /v1/calibrations. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CraneError } from '../../errors.js';
import { type AboutCalibration, dataFolderOf } from '../kept/data-folder.js';
import { readPictures } from '../requests/read-pictures.js';
import { ChoicesReader, calibrateNames, type RequestChoices } from '../requests/request-options.js';
import { checkPrompts, modelOf, type Service, throwIfAway } from '../service.js';
import { bankNamed } from './normals.js';
import { whenGone } from './when-gone.js';

/** Answered with 201 and the calibration, once it is kept. */
export async function addCalibration(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AboutCalibration> {
  throwIfAway(service);
  const { calibrations } = dataFolderOf(service.data);
  const place = service.admission.enter();
  reply.raw.once('close', place.leave);
  const reader = new ChoicesReader(calibrateNames, ['name']);
  const { pictures } = await readPictures(
    request.raw,
    { ...service.settings, place },
    { hasLabels: true },
    reader,
  );
  const { name } = reader.texts;
  if (name === undefined)
    throw new CraneError('E_USAGE', 'the calibration has no name', { hint: 'give one: name=part' });
  const { model: modelName, normals, falseAlarmRate, ...options } = reader.choices;
  const model = modelOf(service, modelName);
  checkPrompts(model, options.prompts);
  const bank = normals === undefined ? undefined : bankNamed(service, normals);
  const labelled = pictures.map((picture) => ({
    name: picture.name,
    bytes: picture.bytes.length,
    isAnomalous: isBad(picture.label, picture.name),
  }));
  const signal = whenGone(reply);
  const about = await calibrations.add(name, async () => {
    const order = {
      model: model.name,
      pictures: labelled,
      options: { ...options, ...(bank ? { normals: bank.path } : {}) },
      ...(falseAlarmRate === undefined ? {} : { falseAlarmRate }),
      ...(bank ? { bank: bank.name } : {}),
    };
    const files = pictures.map(({ bytes }) => bytes);
    const found = await service.supervisor.calibrate(order, files, signal);
    return {
      model: model.name,
      created: new Date().toISOString(),
      options: plain(options),
      normals: bank?.name ?? null,
      ...found,
    };
  });
  reply.code(201).header('location', `/v1/calibrations/${about.name}`);
  return about;
}

function isBad(label: string | undefined, name: string): boolean {
  if (label === 'good' || label === 'bad') return label === 'bad';
  throw new CraneError('E_HTTP_REQUEST', `${name}: nothing says whether it is good or bad`, {
    hint: 'send pictures as the fields "good" and "bad" of a form; in JSON with "label"',
  });
}

/** As JSON has it. */
function plain(options: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(options)) as Record<string, unknown>;
}

export function calibrationsBody({ data }: Service): object {
  return { calibrations: data?.calibrations.list() ?? [] };
}

/** @throws CraneError E_HTTP_RIGHT, E_HTTP_NOT_FOUND */
export function calibrationBody({ data }: Service, name: string): AboutCalibration {
  return dataFolderOf(data).calibrations.get(name);
}

/** @throws CraneError E_HTTP_RIGHT, E_HTTP_NOT_FOUND */
export async function removeCalibration(
  { data }: Service,
  name: string,
  reply: FastifyReply,
): Promise<unknown> {
  await dataFolderOf(data).calibrations.remove(name);
  return reply.code(204).send();
}

/**
 * The options and thresholds of the calibration that a request names.
 * @throws CraneError E_HTTP_RIGHT, E_HTTP_NOT_FOUND, E_USAGE where it gives thresholds of its own too
 */
export function calibrationNamed(
  { data }: Service,
  { calibration: name, threshold, mapThreshold, falseAlarmRate }: RequestChoices,
): { choices: RequestChoices; settings: string } | undefined {
  if (name === undefined) return undefined;
  const { model, options, normals, image, map, settings } = dataFolderOf(data).calibrations.get(name);
  if (threshold !== undefined || mapThreshold !== undefined || falseAlarmRate !== undefined)
    throw new CraneError('E_USAGE', 'a calibration and a threshold together: which one is meant?');
  const choices = {
    ...options,
    model,
    ...(normals === null ? {} : { normals }),
    threshold: image.threshold,
    // Without masks nothing is known of the map.
    mapThreshold: map?.threshold ?? null,
  };
  return { choices, settings };
}
