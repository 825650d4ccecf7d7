import { describe, expect, it } from 'vitest';
import { RunReport } from '../../parity/report/run-report.js';

const good = { values: 3, worst: 0, ratio: 0.5, ok: true, note: '' };
const bad = { values: 3, worst: 1, ratio: 2, ok: false, note: '' };

async function run(body: (report: RunReport) => Promise<unknown> | undefined) {
  const lines: string[] = [];
  const report = new RunReport((line) => lines.push(line));
  await body(report);
  const exitCode = report.finish();
  return { exitCode, last: lines.at(-1), text: lines.join('\n') };
}

describe('RunReport', () => {
  it('ends with the counts and exit code 0 when all is well', async () => {
    const { exitCode, last } = await run((report) =>
      report.case('a', {}, (c) => c.compared('key', 'stage', good)),
    );
    expect([exitCode, last]).toEqual([0, '1 passed, 0 failed']);
  });

  it('fails on one key beyond its tolerance', async () => {
    const { exitCode, last, text } = await run((report) =>
      report.case('a', {}, (c) => {
        c.compared('key', 'stage', good);
        c.compared('other', 'stage', bad);
      }),
    );
    expect([exitCode, last]).toEqual([1, '0 passed, 1 failed']);
    expect(text).toContain('failed: a: other');
  });

  it('counts what a case throws as its failure and goes on', async () => {
    const { exitCode, last, text } = await run(async (report) => {
      await report.case('a', {}, () => {
        throw Object.assign(new Error('broken'), { code: 'E_X', hint: 'mend it' });
      });
      await report.case('b', {}, (c) => c.compared('key', 'stage', good));
    });
    expect([exitCode, last]).toEqual([1, '1 passed, 1 failed']);
    expect(text).toContain('E_X: broken (mend it)');
  });

  it('fails a case that compared nothing', async () => {
    const { last } = await run((report) => report.case('a', {}, (c) => c.notCompared('key', 'reason')));
    expect(last).toBe('0 passed, 1 failed');
  });

  it('fails when no case ran at all', async () => {
    expect((await run(() => undefined)).exitCode).toBe(1);
  });

  it('never counts a case that is not built', async () => {
    const { exitCode, last, text } = await run(async (report) => {
      report.notBuilt('metrics', 'not there');
      await report.case('a', {}, (c) => c.compared('key', 'stage', good));
    });
    expect([exitCode, last]).toEqual([0, '1 passed, 0 failed']);
    expect(text).toContain('metrics  NOT BUILT YET: not there');
  });

  it('fails on an unknown file although every case passed', async () => {
    const { exitCode, last } = await run(async (report) => {
      await report.case('a', {}, (c) => c.compared('key', 'stage', good));
      report.fault('unknown file stray.bin');
    });
    expect([exitCode, last]).toEqual([1, '1 passed, 1 failed']);
  });
});
