/** Every address of the service, with who answers it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PageFile } from '../pages/service/page.js';
import { mayWrite } from './guard.js';
import type { Address } from './http-server.js';
import { openApi } from './openapi/document.js';
import { queryOf } from './requests/read-pictures.js';
import { ChoicesReader } from './requests/request-options.js';
import {
  addCalibration,
  calibrationBody,
  calibrationsBody,
  removeCalibration,
} from './routes/calibrations.js';
import { inferenceAddresses } from './routes/inference-protocol.js';
import { addBank, bankBody, banksBody, removeBank } from './routes/normals.js';
import { scoreRoute } from './routes/score.js';
import { health, modelBody, modelsBody, promptsBody, readiness } from './routes/state.js';
import type { Service } from './service.js';
import { modelOf } from './service.js';

export function allAddresses(service: Service, page: readonly PageFile[] = []): Address[] {
  const document = openApi(service.version);
  return [
    ...page.map(({ path, type, content }) => ({
      path,
      isOpen: true,
      isPage: true,
      methods: { GET: (_request: FastifyRequest, reply: FastifyReply) => reply.type(type).send(content) },
    })),
    ...inferenceAddresses(service),
    { path: '/healthz', isOpen: true, methods: { GET: health } },
    {
      path: '/readyz',
      isOpen: true,
      methods: {
        GET: (_request, reply) => {
          const { isReady, body } = readiness(service);
          return reply.code(isReady ? 200 : 503).send(body);
        },
      },
    },
    {
      path: '/metrics',
      methods: {
        GET: async (_request, reply) =>
          reply.type(service.figures.contentType).send(await service.figures.text()),
      },
    },
    { path: '/openapi.json', methods: { GET: () => document } },
    { path: '/v1/score', methods: { POST: (request, reply) => scoreRoute(service, request, reply) } },
    { path: '/v1/models', methods: { GET: () => modelsBody(service) } },
    {
      path: '/v1/models/:model',
      methods: {
        GET: (request) => modelBody(modelOf(service, (request.params as { model: string }).model)),
      },
    },
    {
      path: '/v1/normals',
      writes: ['POST'],
      methods: {
        GET: (request) => banksBody(service, mayWrite(request.raw)),
        POST: (request, reply) => addBank(service, request, reply),
      },
    },
    {
      path: '/v1/normals/:name',
      writes: ['DELETE'],
      methods: {
        GET: (request) => bankBody(service, nameOf(request)),
        DELETE: (request, reply) => removeBank(service, nameOf(request), reply),
      },
    },
    {
      path: '/v1/calibrations',
      writes: ['POST'],
      methods: {
        GET: () => calibrationsBody(service),
        POST: (request, reply) => addCalibration(service, request, reply),
      },
    },
    {
      path: '/v1/calibrations/:name',
      writes: ['DELETE'],
      methods: {
        GET: (request) => calibrationBody(service, nameOf(request)),
        DELETE: (request, reply) => removeCalibration(service, nameOf(request), reply),
      },
    },
    {
      path: '/v1/prompts',
      methods: {
        GET: (request) => {
          const reader = new ChoicesReader(['model']);
          reader.takeQuery(queryOf(request.raw));
          return promptsBody(service, reader.choices.model);
        },
      },
    },
  ];
}

function nameOf(request: FastifyRequest): string {
  return (request.params as { name: string }).name;
}
