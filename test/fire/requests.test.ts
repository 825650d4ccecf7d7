/** Damaged requests to the whole service, over its socket: each is answered with a code that is not the service's fault, and nothing stays held. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../cli/crane-native.js';
import { makeToyFolder, makeToyModel } from '../unit/engine/toy-model.js';
import { type FakeService, png, startFakeService, until } from '../unit/service/fake-service.js';
import { isFull } from './faults.js';
import { Mutator } from './mutate.js';

const k_requests = isFull ? 20_000 : 600;
const corpus = join(root, 'test', 'fire', 'corpus', 'request');
let folder: string;
let service: FakeService;
beforeAll(async () => {
  folder = await makeToyFolder();
  await makeToyModel(folder);
  service = await startFakeService(join(folder, 'model.json'), { logLevel: 'error' });
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  body: string;
}

/** Header values hold what the parser of HTTP lets through. */
const headerText = (value: string) => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');

function ask(path: string, headers: Record<string, string>, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = send(new URL(path, service.url), { method: 'POST', headers, agent: false }, (reply) => {
      let text = '';
      reply.on('data', (chunk) => {
        text += chunk;
      });
      reply.on('end', () => resolve({ status: reply.statusCode!, body: text }));
      reply.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** What must not be answered. */
function objection({ status, body }: Answer): string | undefined {
  if (status === 200) return undefined;
  if (status < 400 || status >= 500) return `${status}: ${body.slice(0, 200)}`;
  const { error } = JSON.parse(body) as { error?: { code?: string } | string };
  const code = typeof error === 'string' ? error.split(':')[0]! : error?.code;
  return code && /^E_[A-Z_]+$/.test(code) && code !== 'E_INTERNAL'
    ? undefined
    : `${status}: ${body.slice(0, 200)}`;
}

it('damaged requests', async () => {
  const mutator = new Mutator(8);
  const picture = await png(100);
  const seeds = await Promise.all((await readdir(corpus)).sort().map((name) => readFile(join(corpus, name))));
  const raw = Buffer.concat([Buffer.from('image/png\n\n\n'), picture]);
  seeds.push(raw, raw);
  const statuses = new Map<number, number>();
  const bad: string[] = [];
  for (let i = 0; i < k_requests; i++) {
    const bytes = i < seeds.length ? seeds[i]! : mutator.mutated(mutator.pick(seeds), mutator.pick(seeds));
    const [type = '', query = '', head = ''] = bytes.toString('latin1').split('\n', 3);
    const body = bytes.subarray(type.length + query.length + head.length + 3);
    const isInfer = type.startsWith('infer');
    const headers = {
      'content-type': headerText(isInfer ? 'application/octet-stream' : type),
      ...(head === '' ? {} : { 'inference-header-content-length': headerText(head) }),
    };
    const path = isInfer ? '/v2/models/toy/infer' : `/v1/score?${encodeURI(query)}`;
    const answer = await ask(path, headers, body);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const why = objection(answer);
    if (why) bad.push(`${path} ${JSON.stringify(headers)}: ${why}`);
  }
  console.log([...statuses].map(([status, count]) => `${status}: ${count}`).join(', '));
  expect(bad).toEqual([]);
  expect(statuses.get(200)).toBeGreaterThan(0);
  expect(statuses.get(400)).toBeGreaterThan(k_requests / 10);
  const { admission } = service.service;
  await until(() => admission.pictures === 0 && admission.bytes === 0);
  expect(service.starts).toBe(1);
  // What this test must not take for an answer.
  expect(objection({ status: 500, body: '{"error":{"code":"E_INTERNAL"}}' })).toBeDefined();
  expect(objection({ status: 400, body: '{"error":{"code":"E_INTERNAL"}}' })).toBeDefined();
}, 600_000);
