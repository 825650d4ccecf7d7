// What leaks.mjs does again and again. Each work: { once(i), held(), end() }; held() has the sums of probe.mjs, one for each process.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { createTrainer, loadEngine } from '../../dist/index.js';
import { childrenOf, post, startServiceIn, stopService } from '../bench/served.mjs';
import { makeNoiseSet, makeTinyModel } from '../cli/tiny-model.js';
import { held, lose } from './probe.mjs';

/** A model of toy size, so that thousands end in minutes. */
const load = (folder) => loadEngine({ model: join(folder, 'model'), threads: 1, startCache: false });
const ofThisProcess = async () => ({ '': await held() });

/** How often each is done where nothing else is asked for. */
export const times = { score: 20_000, load: 1_000, bank: 1_000, step: 1_000, train: 250, request: 10_000 };

/** @returns a model and four pictures to work with, below `folder` */
export async function prepare(folder) {
  await makeTinyModel(join(folder, 'model'));
  await makeNoiseSet(folder, 4);
}

const pictures = (folder) =>
  ['good/0', 'square/1', 'good/2', 'square/3'].map((name) => join(folder, 'part', 'test', `${name}.png`));

/** All below a folder that `prepare` has prepared. */
export const works = {
  async score(folder) {
    const engine = await load(folder);
    const paths = pictures(folder);
    return {
      once: (i) => engine.score(paths[i % paths.length], { map: true }),
      held: ofThisProcess,
      end: () => engine.dispose(),
    };
  },

  /** An engine is loaded, scored with once, closed. */
  async load(folder) {
    const [picture] = pictures(folder);
    return {
      once: async () => {
        const engine = await load(folder);
        await engine.score(picture);
        await engine.dispose();
      },
      held: ofThisProcess,
      end: () => {},
    };
  },

  /** A bank is learned, written, taken out of the engine. */
  async bank(folder) {
    const engine = await load(folder);
    const paths = pictures(folder).slice(0, 2);
    return {
      once: async () => {
        const bank = await engine.learnNormals(paths, { turns: 1 });
        await bank.save(join(folder, 'bank.safetensors'), { overwrite: true });
        bank.remove();
      },
      held: ofThisProcess,
      end: () => engine.dispose(),
    };
  },

  /** A step of one long training, with what is written after its epoch. */
  async step(folder) {
    const engine = await load(folder);
    const trainer = await makeTrainer(engine, folder, 100_000);
    const events = trainer.run()[Symbol.asyncIterator]();
    return {
      once: async () => {
        while ((await events.next()).value.stage !== 'step');
      },
      held: ofThisProcess,
      end: async () => {
        await events.return();
        await engine.dispose();
      },
    };
  },

  /** A whole training of four steps. */
  async train(folder) {
    const engine = await load(folder);
    return {
      once: async () => (await makeTrainer(engine, folder, 2)).run(),
      held: ofThisProcess,
      end: () => engine.dispose(),
    };
  },

  /** A picture is posted, its map comes back; eight at a time. */
  async request(folder) {
    const [path] = pictures(folder);
    const body = readFileSync(path);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const nodeArgs = [...process.execArgv, '--import', new URL('probe.mjs', import.meta.url).href];
    const args = ['--model', join(folder, 'model'), '--threads', '1'];
    const service = await startServiceIn({ nodeArgs, env: { CRANE_FIRE_SERVES: '1' } }, ...args);
    const processes = { service: service.child.pid, engine: childrenOf(service.child.pid)[0] };
    return {
      isMany: 8,
      once: async () => {
        const asked = { agent, body, headers: { 'content-type': 'image/png' }, query: '?map=true' };
        const { status } = await post(service.url, asked);
        if (status !== 200) throw new Error(`the service answers ${status}`);
      },
      held: async () => {
        const found = {};
        for (const [name, pid] of Object.entries(processes)) found[name] = await heldBy(pid, folder);
        return found;
      },
      end: async () => {
        agent.destroy();
        await stopService(service);
      },
    };
  },
};

/** For the planted bug: what a work does, and 64 bytes lost. The service loses its own. */
export function losing(name, work) {
  if (name === 'request') return work.once;
  return async (i) => {
    await work.once(i);
    lose();
  };
}

async function heldBy(pid, folder) {
  const file = join(folder, `${pid}.json`);
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  while (!existsSync(file)) await later(20);
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Two good pictures and two with a marked square: two steps an epoch. */
function makeTrainer(engine, folder, epochs) {
  const places = { out: join(folder, 'out'), cache: join(folder, 'features'), force: true };
  return createTrainer({ engine, data: folder, ...places, batchSize: 2, epochs, saveEvery: 1 });
}
