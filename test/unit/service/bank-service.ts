/** A service with a toy model, to which the tests of a file add banks of normal pictures. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { ServiceSettings } from '../../../src/service/settings.js';
import { type FakeService, png, startFakeService } from './fake-service.js';
import { toyModelOfFile } from './toy-model-of-file.js';

export type Picture = Uint8Array<ArrayBuffer>;

export interface Reply {
  status: number;
  body: Record<string, unknown> & { error?: { code: string; message: string; hint?: string } };
  headers: Headers;
}

/** @returns a picture of one brightness, as the body of a request */
export const picture = async (brightness: number): Promise<Picture> => new Uint8Array(await png(brightness));

export const good = await picture(100);
export const other = await picture(200);

export function form(name: string | undefined, pictures: Picture[], fields: object = {}): FormData {
  const data = new FormData();
  if (name !== undefined) data.append('name', name);
  for (const [key, value] of Object.entries(fields)) data.append(key, String(value));
  for (const [at, one] of pictures.entries()) data.append('picture', new Blob([one]), `g${at}.png`);
  return data;
}

/** Makes and removes what the tests need: to be called once, at the top of a file. */
export function bankService() {
  const toy = toyModelOfFile();
  let service: FakeService | undefined;
  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  /** @returns the folder where it keeps banks: that of the settings, or a new one */
  async function start(settings: Partial<ServiceSettings> = {}, behaviour: object = {}) {
    const dataFolder = settings.dataFolder ?? (await mkdtemp(join(toy.folder, 'data-')));
    service = await startFakeService(running.model, { ...settings, dataFolder }, behaviour);
    return dataFolder;
  }
  async function startWithoutFolder() {
    service = await startFakeService(running.model);
  }
  async function ask(path: string, init: RequestInit = {}): Promise<Reply> {
    const reply = await fetch(`${running.service.url}${path}`, init);
    const text = await reply.text();
    return { status: reply.status, body: text === '' ? {} : JSON.parse(text), headers: reply.headers };
  }
  const running = {
    get service(): FakeService {
      if (!service) throw new Error('no service was started');
      return service;
    },
    get folder() {
      return toy.folder;
    },
    get model() {
      return toy.model;
    },
    start,
    startWithoutFolder,
    ask,
    add: (name: string | undefined, pictures = [good], fields: object = {}, headers = {}) =>
      ask('v1/normals', { method: 'POST', body: form(name, pictures, fields), headers }),
    remove: (name: string, headers = {}) => ask(`v1/normals/${name}`, { method: 'DELETE', headers }),
    score: (query: string, body = good) =>
      ask(`v1/score?${query}`, { method: 'POST', body, headers: { 'content-type': 'image/png' } }),
    names: async () =>
      ((await ask('v1/normals')).body['normals'] as { name: string }[]).map(({ name }) => name),
  };
  return running;
}
