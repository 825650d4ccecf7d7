/** Banks of normal pictures that clients add, by name: POST, GET, DELETE /v1/normals. */
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CraneError } from '../../errors.js';
import type { NormalBank } from '../../normals/normal-bank.js';
import { type AboutBank, type DataFolder, dataFolderOf, k_bankFile } from '../kept/data-folder.js';
import { readPictures } from '../requests/read-pictures.js';
import { ChoicesReader, learnNames } from '../requests/request-options.js';
import { modelOf, type Service, throwIfAway } from '../service.js';
import { whenGone } from './when-gone.js';

/** One of a field for bad pictures or masks would be learned as a good one. */
const k_kinds = { fields: ['picture'] };

/** Answered with 201 and what the bank says of itself, once it is kept. */
export async function addBank(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<AboutBank> {
  throwIfAway(service);
  const { banks, maxPictures } = dataFolderOf(service.data);
  const place = service.admission.enter();
  reply.raw.once('close', place.leave);
  const reader = new ChoicesReader(learnNames, ['name']);
  const { pictures } = await readPictures(request.raw, { ...service.settings, place }, k_kinds, reader);
  const { model: modelName, ...choices } = reader.choices;
  const model = modelOf(service, modelName);
  const { name } = reader.texts;
  if (name === undefined)
    throw new CraneError('E_USAGE', 'the bank has no name', { hint: 'give one: name=part' });
  if (pictures.length > maxPictures) {
    throw new CraneError(
      'E_HTTP_QUOTA',
      `${pictures.length} pictures, the limit of a bank is ${maxPictures}`,
      { hint: 'a bank of fewer pictures is often as good: docs/normals.md' },
    );
  }
  const signal = whenGone(reply);
  const about = await banks.add(name, async (folder) => {
    const order = {
      model: model.name,
      pictures: pictures.map((picture) => ({ name: picture.name, bytes: picture.bytes.length })),
      choices,
      path: join(folder, k_bankFile),
    };
    const files = pictures.map(({ bytes }) => bytes);
    const { beside, ...facts } = await service.supervisor.learn(order, files, signal);
    const evidence = beside === undefined ? ('normals' as const) : ('both' as const);
    return { ...facts, model: model.name, created: new Date().toISOString(), evidence };
  });
  reply.code(201).header('location', `/v1/normals/${about.name}`);
  return about;
}

/** Pictures are counted in a list, and named of one bank. @param mayWrite the caller adds and deletes */
export function banksBody({ data }: Service, mayWrite: boolean): object {
  const list = data?.banks.list() ?? [];
  return {
    normals: list.map(({ pictures, ...about }) => ({ ...about, pictures: pictures.length })),
    limits: data ? limitsOf(data) : null,
    mayWrite: data !== undefined && mayWrite,
  };
}

function limitsOf({ banks: { limits }, maxPictures }: DataFolder): object {
  return { banks: limits.count, bytes: limits.bytes, pictures: maxPictures };
}

/** @throws CraneError E_HTTP_RIGHT, E_HTTP_NOT_FOUND */
export function bankBody({ data }: Service, name: string): AboutBank {
  return dataFolderOf(data).banks.get(name);
}

/** @throws CraneError E_HTTP_RIGHT, E_HTTP_NOT_FOUND */
export async function removeBank({ data }: Service, name: string, reply: FastifyReply): Promise<unknown> {
  await dataFolderOf(data).banks.remove(name);
  return reply.code(204).send();
}

/** What a request calls a bank: a name, never a path. @throws CraneError E_HTTP_RIGHT, E_HTTP_NOT_FOUND */
export function bankNamed({ data }: Service, named: string | NormalBank): { name: string; path: string } {
  const name = String(named);
  return { name, path: dataFolderOf(data).banks.fileOf(name, k_bankFile) };
}
