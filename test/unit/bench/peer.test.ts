import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openPeer, type Patience } from '../../../src/bench/peer.js';
import { type Behaviour, useFakePeers } from './fake-peer.js';

const peers = useFakePeers();
const never = new AbortController().signal;
const short: Patience = { openMs: 10_000, prepareMs: 10_000, pictureMs: 10_000 };

async function oneBatch(behaviour: Behaviour, patience = short) {
  const peer = await openPeer(peers.plan(behaviour), never, patience);
  try {
    return await peer.run(2, never);
  } finally {
    await peer.close();
  }
}

describe('a peer in a process of its own', () => {
  it('is asked for batches and answers with samples', async () => {
    const peer = await openPeer(peers.plan('good'), never);
    expect(peer.facts).toEqual({
      title: 'a fake',
      versions: { fake: '1.0' },
      threads: 1,
      precision: 'float32',
      gflop: 10,
    });
    expect(await peer.run(1, never)).toEqual({ seconds: 0.25, cpuSeconds: 0.125 });
    expect(await peer.run(4, never)).toEqual({ seconds: 1, cpuSeconds: 0.5 });
    await peer.close();
  });

  it.each<[Behaviour, RegExp]>([
    ['dies', /^dies ended with exit code 7: out of luck$/],
    ['isKilled', /^isKilled ended by SIGSEGV/],
    ['babbles', /^babbles answered with what is no answer: Loading model: 100%$/],
    ['lies', /^lies answered with what is no answer: /],
    ['refuses', /^refuses says: cannot import torch$/],
    ['skipsReady', /^skipsReady did not say that it is ready$/],
  ])('one that %s becomes an error with a code', async (behaviour, message) => {
    await expect(oneBatch(behaviour)).rejects.toMatchObject({
      code: 'E_BENCH_PEER',
      exitCode: 3,
      message: expect.stringMatching(message),
    });
  });

  it('passes on what the peer says has to be done', async () => {
    await expect(oneBatch('refuses')).rejects.toMatchObject({ hint: 'pip install torch' });
  });

  it.each<Behaviour>(['hangs', 'neverReady'])('one that %s is given up', async (behaviour) => {
    const openMs = behaviour === 'neverReady' ? 200 : 10_000;
    const impatient = { openMs, prepareMs: 100, pictureMs: 50 };
    await expect(oneBatch(behaviour, impatient)).rejects.toMatchObject({
      code: 'E_BENCH_PEER',
      message: expect.stringContaining('gave no answer within'),
    });
  });

  it('one that speaks unasked is not believed afterwards', async () => {
    const peer = await openPeer(peers.plan('interrupts'), never);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(peer.run(1, never)).rejects.toMatchObject({
      message: 'interrupts spoke unasked: by the way',
    });
    await peer.close();
  });

  it('a program that is not there is told, with the flag that names another', async () => {
    const plan = peers.plan('good');
    const gone = { ...plan, command: { ...plan.command, program: join(peers.folder(), 'no-python') } };
    await expect(openPeer(gone, never)).rejects.toMatchObject({
      code: 'E_BENCH_PEER',
      message: expect.stringMatching(/^good cannot be started: .*no-python is not there$/),
      hint: 'name an interpreter: --python PATH',
    });
  });

  it('is ended at once when the run is interrupted, whatever it is doing', async () => {
    const stop = new AbortController();
    const peer = await openPeer(peers.plan('hangs'), stop.signal);
    const waiting = peer.run(1, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'E_CANCELLED' });
    await peer.close();
    expect(await processesOf(peers.program('hangs'))).toEqual([]);
  });
});

/** Command lines of running processes that contain the path. */
async function processesOf(path: string): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(path));
}
