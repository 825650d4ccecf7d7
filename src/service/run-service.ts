/** The whole service from start to end: engines, server, drain. */
import type { AddressInfo } from 'node:net';
import type { Writable } from 'node:stream';
import type { Server as TlsServer } from 'node:tls';
import { CraneError, toCraneError } from '../errors.js';
import { packageVersion } from '../files/package-root.js';
import { pageFiles } from '../pages/service/page.js';
import { allAddresses } from './addresses.js';
import { Admission } from './admission.js';
import { type EngineProcess, startEngineProcess } from './engine-process.js';
import { Figures } from './figures.js';
import { isLoopback } from './guard.js';
import { makeServer } from './http-server.js';
import { openDataFolder } from './kept/data-folder.js';
import { type Log, makeLog } from './log.js';
import type { Service } from './service.js';
import type { ServiceSettings } from './settings.js';
import { Supervisor } from './supervisor.js';
import { readCertificate } from './tls.js';
import { AccessTokens } from './tokens.js';
import { openTracing } from './tracing.js';

export interface ServiceParts {
  settings: ServiceSettings;
  logTo: Writable;
  startEngines?: () => EngineProcess;
  backOffMs?: readonly number[];
}

export interface RunningService {
  /** where it listens, as URLs */
  urls: string[];
  service: Service;
  /** Reads the file of tokens and the certificate again; what is not good changes nothing and is logged. */
  reload(): Promise<void>;
  /** Takes nothing more, finishes what was accepted within `drainMs`, then ends. */
  stop(): Promise<void>;
}

/** @throws CraneError E_USAGE, E_SERVICE_CONFIG, E_IO_READ, or of a model that cannot be loaded */
export async function startService({
  settings,
  logTo,
  startEngines = startEngineProcess,
  backOffMs,
}: ServiceParts): Promise<RunningService> {
  const tokens = settings.tokenFile === undefined ? undefined : await AccessTokens.read(settings.tokenFile);
  if (!isLoopback(settings.host) && !tokens && !settings.insecure) {
    throw new CraneError(
      'E_USAGE',
      `others reach ${settings.host}, and nobody would need a token: name a file of tokens with --token-file`,
      { hint: 'make one: openssl rand -hex 32 > tokens; or say --insecure, if everybody may' },
    );
  }
  const certificate = await readCertificate(settings);
  const log = await makeLog(settings.logLevel, logTo);
  const prometheus = await import('prom-client');
  const data = await openDataFolder(settings, log);
  const admission = new Admission(settings);
  const supervisor: Supervisor = new Supervisor({
    models: settings.models,
    start: startEngines,
    ...(backOffMs ? { backOffMs } : {}),
    events: {
      onStarted: (pid, restarts) => log.info({ pid, restarts }, 'the engine is being started'),
      onReady: (models, ms) =>
        log.info(
          { models: models.map(({ facts }) => facts.model), ms: Math.round(ms) },
          'the engine is ready',
        ),
      onEnded: (how, lost, waitMs) => log.error({ how, lost, waitMs }, 'the engine ended'),
      onNotLoaded: (model, error) =>
        log.error({ model, code: error.code, error: error.message }, 'a model cannot be loaded'),
      onWarning: (model, message) => log.warn({ model }, message),
      onPass: (pictures, ms) => {
        admission.notePass(pictures, ms);
        figures.countPass(pictures, ms);
      },
    },
  });
  const figures = new Figures(prometheus, {
    pictures: () => admission.pictures,
    heldBytes: () => admission.bytes,
    isReady: () => supervisor.isReady,
    restarts: () => supervisor.restarts,
    models: () => supervisor.models,
  });
  const service: Service = {
    settings,
    supervisor,
    admission,
    figures,
    tokens,
    data,
    version: packageVersion(),
    tracing: await openTracing(process.env, packageVersion(), log),
    isDraining: false,
  };
  await supervisor.start().catch(async (thrown: unknown) => {
    await data?.close();
    throw thrown;
  });
  try {
    const app = await makeServer(service, allAddresses(service, await pageFiles()), log, certificate);
    await app.listen({ host: settings.host, port: settings.port }).catch((cause: NodeJS.ErrnoException) => {
      throw new CraneError(
        'E_USAGE',
        `cannot listen on ${settings.host}, port ${settings.port}: ${cause.code}`,
        {
          hint:
            cause.code === 'EADDRINUSE'
              ? 'something listens there already: choose another --port'
              : undefined,
          cause,
        },
      );
    });
    const scheme = settings.tlsCert === undefined ? 'http' : 'https';
    const urls = (app.addresses() as AddressInfo[]).map(({ address, family, port }) => {
      const host = family === 'IPv6' ? `[${address}]` : address;
      return `${scheme}://${host}:${port}/`;
    });
    log.info({ urls }, 'listening');
    let stopping: Promise<void> | undefined;
    return {
      urls,
      service,
      reload: async () => {
        await reload(tokens, log);
        if (certificate) await renew(settings, app.server as unknown as TlsServer, log);
      },
      stop: () => {
        stopping ??= drain(service, app, log);
        return stopping;
      },
    };
  } catch (thrown) {
    await supervisor.stop();
    await data?.close();
    throw thrown;
  }
}

async function reload(tokens: AccessTokens | undefined, log: Log): Promise<void> {
  try {
    await tokens?.readAgain();
    log.info({ tokens: tokens?.count ?? 0 }, 'the tokens were read again');
  } catch (thrown) {
    log.error({ error: toCraneError(thrown).message }, 'the tokens stay as they were');
  }
}

/** Connections that are open keep theirs. */
async function renew(settings: ServiceSettings, server: TlsServer, log: Log): Promise<void> {
  try {
    server.setSecureContext((await readCertificate(settings))!);
    log.info({}, 'the certificate was read again');
  } catch (thrown) {
    log.error({ error: toCraneError(thrown).message }, 'the certificate stays as it was');
  }
}

async function drain(service: Service, app: Awaited<ReturnType<typeof makeServer>>, log: Log): Promise<void> {
  const { drainMs } = service.settings;
  service.isDraining = true;
  log.info({ pictures: service.admission.pictures }, 'ending: what was accepted is finished');
  const timer = setTimeout(() => {
    log.warn({ pictures: service.admission.pictures }, 'the time to end is over');
    app.server.closeAllConnections();
  }, drainMs);
  await app.close();
  clearTimeout(timer);
  await service.supervisor.stop();
  await service.data?.close();
  await service.tracing?.close();
  log.info({}, 'ended');
}
