import * as prometheus from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { ScoreOutcome } from '../../../src/engine/result.js';
import { Figures } from '../../../src/service/figures.js';
import { WorkerFigures } from '../../../src/work/worker-figures.js';

const facts = { model: 'toy@1', device: 'cpu', precision: 'float32' };
const scored = {
  input: 'a.png',
  index: 0,
  score: 0.5,
  ms: { decode: 1, preprocess: 1, forward: 20, postprocess: 1 },
} as unknown as ScoreOutcome;
const failed = {
  input: 'b.png',
  index: 1,
  error: { code: 'E_IMAGE_FORMAT', message: 'none' },
} as unknown as ScoreOutcome;

const get = async (address: string) => {
  const answer = await fetch(address);
  return { status: answer.status, text: await answer.text() };
};

describe('the figures of a worker', () => {
  it('are those of its pictures, its chunks and the queue', async () => {
    let jobs: () => Promise<Record<string, number>> = async () => ({ waiting: 7, failed: 2 });
    const figures = await WorkerFigures.open(0, { model: { name: 'toy', facts }, jobs: () => jobs() });
    try {
      figures.picture(scored);
      figures.picture(failed);
      figures.chunk('done', 2000);
      figures.chunk('again', 0);
      const { text } = await get(figures.address);
      const told = text.split('\n');
      expect(told).toContain('crane_pictures_total{model="toy"} 1');
      expect(told).toContain('crane_failed_pictures_total{code="E_IMAGE_FORMAT"} 1');
      expect(told).toContain('crane_forward_seconds_sum 0.02');
      expect(told).toContain('crane_model_info{name="toy",model="toy@1",device="cpu",precision="float32"} 1');
      expect(told).toContain('crane_worker_chunks_total{end="again"} 1');
      expect(told).toContain('crane_worker_chunk_seconds_bucket{le="10"} 1');
      expect(told).toContain('crane_queue_jobs{state="waiting"} 7');
      expect(told).toContain('crane_queue_jobs{state="failed"} 2');
      expect(text).toContain('process_resident_memory_bytes');

      // While the queue is away all else is told.
      for (const away of [() => Promise.reject(new Error('away')), () => new Promise<never>(() => {})]) {
        jobs = away;
        const { status, text } = await get(figures.address);
        expect(status).toBe(200);
        expect(text).toContain('crane_failed_pictures_total{code="E_IMAGE_FORMAT"} 1');
        expect(text).not.toContain('crane_queue_jobs{');
      }
      expect((await get(figures.address.replace('/metrics', '/healthz'))).text).toBe('ok\n');
      expect((await get(`${figures.address}x`)).status).toBe(404);
    } finally {
      await figures.close();
    }
  });

  it('of pictures and models are named as those of the service', async () => {
    const figures = await WorkerFigures.open(0, { model: { name: 'toy', facts }, jobs: async () => ({}) });
    const service = new Figures(prometheus, {
      pictures: () => 0,
      heldBytes: () => 0,
      isReady: () => true,
      restarts: () => 0,
      models: () => [],
    });
    const names = (text: string) => [...text.matchAll(/^# TYPE (crane_\w+)/gm)].map(([, name]) => name);
    try {
      const both = names(await service.text());
      const ours = names((await get(figures.address)).text);
      expect(ours.filter((name) => both.includes(name)).sort()).toEqual([
        'crane_decode_seconds',
        'crane_forward_seconds',
        'crane_model_info',
        'crane_pictures_total',
      ]);
    } finally {
      await figures.close();
    }
  });
});
