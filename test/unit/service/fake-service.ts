/** The whole service in this process: a real HTTP server before engines that are fakes, behind a real channel. */
import { duplexPair, Writable } from 'node:stream';
import sharp from 'sharp';
import type { EngineProcess } from '../../../src/service/engine-process.js';
import { serveEngines } from '../../../src/service/engine-server.js';
import { type RunningService, startService } from '../../../src/service/run-service.js';
import type { ServiceSettings } from '../../../src/service/settings.js';
import { type FakeAddon, type FakeBehaviour, makeFakeAddon } from '../engine/fake-addon.js';

export interface FakeService extends RunningService {
  url: string;
  addon: FakeAddon;
  /** lines of the log */
  log: () => Record<string, unknown>[];
  /** the engine ends as by a native abort */
  crash: () => void;
  /** engines that were started */
  readonly starts: number;
}

export const plainSettings = {
  host: '127.0.0.1',
  port: 0,
  insecure: false,
  maxBody: 2 ** 20,
  maxJsonBody: 2 ** 19,
  maxFiles: 8,
  maxQueueMs: 30_000,
  maxHeldBytes: 8 * 2 ** 20,
  requestTimeoutMs: 20_000,
  drainMs: 5000,
  logLevel: 'debug',
  maxQueue: 64,
  maxBanks: 3,
  maxCalibrations: 2,
  maxBankBytes: 2 ** 20,
  maxBankPictures: 4,
} as const satisfies Omit<ServiceSettings, 'models'>;

export async function startFakeService(
  modelPath: string,
  settings: Partial<ServiceSettings> = {},
  behaviour: FakeBehaviour & { failToLoad?: () => void; failToStart?: () => void } = {},
): Promise<FakeService> {
  const addon = makeFakeAddon(behaviour);
  let text = '';
  const logTo = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  let current: EngineProcess | undefined;
  let starts = 0;
  const startEngines = (): EngineProcess => {
    starts++;
    behaviour.failToStart?.();
    const [channel, far] = duplexPair();
    let end = (_how: string) => {};
    const ended = new Promise<string>((resolve) => {
      end = resolve;
    });
    const kill = () => {
      channel.destroy();
      far.destroy();
      end('SIGABRT');
    };
    const loadAddon = async () => {
      behaviour.failToLoad?.();
      return { addon };
    };
    void serveEngines({ channel: far, loadAddon }).then(() => end('exit code 0'));
    current = { pid: undefined, channel, ended, kill };
    return current;
  };
  const running = await startService({
    settings: {
      ...plainSettings,
      models: [{ name: 'toy', options: { model: modelPath }, promptSets: {} }],
      ...settings,
    },
    logTo,
    startEngines,
    backOffMs: [0, 20],
  });
  return {
    ...running,
    url: running.urls[0]!,
    addon,
    log: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    crash: () => current!.kill(),
    get starts() {
      return starts;
    },
  };
}

export async function png(brightness: number, width = 32, height = 24): Promise<Buffer> {
  const background = { r: brightness, g: brightness, b: brightness };
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

/** Waits until it holds; the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
