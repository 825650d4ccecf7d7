/** Prompts and normal pictures together, or one of them: what each request asks for. */
import { describe, expect, it } from 'vitest';
import { bankService, good, other, type Reply } from './bank-service.js';

const banks = bankService();
const { start, ask, add, score, names } = banks;

describe('evidence', () => {
  const code = ({ status, body }: Reply) => [status, body.error?.code];
  const methodsOf = () => banks.service.addon.log.prompts.map(({ method }) => method.name);

  it('of prompts and normal pictures together is asked for by each request', async () => {
    await start();
    const made = await add('together', [good, other], { turns: 1, evidence: 'both' });
    expect([made.status, made.body['evidence']]).toEqual([201, 'both']);
    const both = await score('normals=together&evidence=both');
    expect([both.status, methodsOf()]).toEqual([200, expect.arrayContaining(['both'])]);
    const alone = await score('normals=together');
    expect([alone.status, alone.body['model'] === both.body['model']]).toEqual([200, false]);
    expect((await score('normals=together&evidence=normals')).body['model']).toBe(alone.body['model']);
    expect((await score('evidence=prompts')).body['model']).toBe((await score('')).body['model']);
    const json = await ask('v1/score', {
      method: 'POST',
      body: JSON.stringify({
        pictures: [{ data: Buffer.from(good).toString('base64') }],
        normals: 'together',
        evidence: 'both',
        prompts: 'other',
      }),
      headers: { 'content-type': 'application/json' },
    });
    const [result] = json.body['results'] as { model: string; score: number }[];
    expect(result!.score).toBeTypeOf('number');
    expect(result!.model).not.toBe(both.body['model']);
    const inferred = await ask('v2/models/toy/infer', {
      method: 'POST',
      body: JSON.stringify({
        inputs: [
          { name: 'IMAGE', datatype: 'BYTES', shape: [1], data: [Buffer.from(good).toString('base64')] },
        ],
        parameters: { normals: 'together', evidence: 'both' },
      }),
      headers: { 'content-type': 'application/json' },
    });
    expect(inferred.status).toBe(200);
  });

  it('that nothing of the request can give is refused, and says how to get it', async () => {
    const dataFolder = await start();
    expect((await add('patches')).body['evidence']).toBe('normals');
    const refused = await score('normals=patches&evidence=both');
    expect(code(refused)).toEqual([400, 'E_NORMALS']);
    expect(refused.body.error!.hint).toContain('evidence=both');
    expect(JSON.stringify(refused.body)).not.toContain(dataFolder);
    for (const query of ['evidence=both', 'evidence=normals', 'normals=patches&evidence=prompts'])
      expect([query, ...code(await score(query))]).toEqual([query, 400, 'E_USAGE']);
    for (const query of ['evidence=all', 'evidence=', 'evidence=both&evidence=both'])
      expect((await score(query)).status).toBe(400);
    expect((await add('b', [good], { evidence: 'everything' })).status).toBe(400);
    expect(await names()).toEqual(['patches']);
  });

  it("takes the operator's prompts and settings where prompts speak too, and never the threshold", async () => {
    const options = { model: banks.model, prompts: 'other', threshold: 0.123, eAttnLayers: 3 };
    const settings = { models: [{ name: 'toy', options, promptSets: {} }] };
    const dataFolder = await start(settings);
    await add('together', [good, other], { evidence: 'both' });
    const { status, body } = await score('normals=together&evidence=both');
    expect([status, body['threshold']]).toEqual([200, null]);
    const made = banks.service.addon.log.prompts.filter(({ method }) => method.name === 'both').at(-1)!;
    expect(made.method).toMatchObject({ eAttnLayers: 3 });
    expect(String(made.material.files['prompts'])).toContain('other');
    // What the bank holds beside patches was made by those settings: with others it is refused.
    expect(code(await score('normals=together&evidence=both&eAttnLayers=2'))).toEqual([400, 'E_NORMALS']);
    // It is there after a restart.
    await banks.service.stop();
    await start({ dataFolder, ...settings });
    expect((await ask('v1/normals/together')).body['evidence']).toBe('both');
    expect((await score('normals=together&evidence=both')).status).toBe(200);
  });

  it("reads normal pictures as the operator's camera gives them, as those that are scored", async () => {
    const settings = {
      models: [{ name: 'toy', options: { model: banks.model, bitDepth: 12 }, promptSets: {} }],
    };
    const dataFolder = await start(settings);
    expect((await add('part')).status).toBe(201);
    expect((await score('normals=part')).status).toBe(200);
    expect((await score('normals=part&bitDepth=12')).status).toBe(200);
    expect(code(await score('normals=part&bitDepth=10'))).toEqual([400, 'E_NORMALS']);
    await banks.service.stop();
    await start({ dataFolder, ...settings });
    expect([await names(), (await score('normals=part')).status]).toEqual([['part'], 200]);
  });
});
