import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { chartSvg } from '../../../../src/pages/training/loss-chart.js';
import { canonicalJson } from '../../../../src/runs/canonical-json.js';
import { differences } from '../../../../src/runs/differences.js';
import { LossHistory } from '../../../../src/runs/loss-history.js';
import { spreadOf } from '../../../../src/runs/spread.js';
import { writeToySet } from '../../train/toy-set.js';
import { useWorkplace } from '../../train/workplace.js';

const work = useWorkplace();

describe('the report', () => {
  it('needs nothing but itself, escapes every name, and says what the prompts were learned on', async () => {
    const data = await writeToySet(work.at('a <b>set & more'), { className: '<i>"tile"', from: 20 });
    await (await work.trainer({ out: work.at('page'), data, epochs: 2 })).run();
    const page = await readFile(work.at('page', 'report.html'), 'utf8');
    expect(page).not.toMatch(/<script|https?:\/\/|src=|href=|<b>|<i>/);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain('Learned on a &lt;b&gt;set &amp; more.');
    expect(page.match(/<svg/g)).toHaveLength(4);
    expect(page.match(/<tr><td>\d<\/td><td>3<\/td>/g)).toHaveLength(2);
    expect(page).toContain('(counts 0.2 times)');
  });

  it('of several seeds has a line for each, and their mean and spread', async () => {
    await (await work.trainer({ out: work.at('many'), seeds: 3, epochs: 2 })).run();
    const page = await readFile(work.at('many', 'report.html'), 'utf8');
    expect(page.match(/<polyline/g)).toHaveLength(3 * 4);
    // in the colour that the legend has for its seed
    for (const run of [0, 1, 2]) expect(page.split(`<polyline class="mean c${run}"`)).toHaveLength(1 + 4);
    expect(page).toContain('<span class="mean c2">seed 113</span>');
    for (const row of ['111', '112', '113', 'mean', 'standard deviation'])
      expect(page).toContain(`<tr><td>${row}</td>`);
  });
});

describe('a chart', () => {
  it('draws points where they belong, and dots with their values', () => {
    const points = [
      { x: 0, y: 0, title: 'first' },
      { x: 10, y: 4, title: 'last & <least>' },
    ];
    const svg = chartSvg({
      title: 'T',
      xLabel: 'x',
      lines: [{ label: 'l', className: 'mean', points, dots: true }],
    });
    expect(svg).toContain('points="56,260 626,14"');
    expect(svg).toContain('<title>last &amp; &lt;least&gt;</title>');
    expect(svg).toContain('>4</text>');
  });

  it('thins long lines to their means, and stands losses that are no numbers', () => {
    const points = Array.from({ length: 6000 }, (_, x) => ({ x, y: x === 17 ? Number.NaN : 1 }));
    const svg = chartSvg({
      title: 'T',
      xLabel: 'x',
      lines: [{ label: 'l', className: 'step', points, dots: false }],
    });
    const drawn = /points="([^"]*)"/.exec(svg)![1]!.split(' ');
    expect(drawn.length).toBeLessThanOrEqual(600);
    expect(svg).not.toContain('NaN');
    expect(() => chartSvg({ title: '', xLabel: '', lines: [] })).not.toThrow();
  });
});

it('the history of losses grows, survives saving, and averages', () => {
  const history = new LossHistory();
  for (let step = 0; step < 3000; step++) history.push({ focal: step, dice: 1, image: 2, total: -step });
  const again = new LossHistory(history.toArray());
  expect(again.steps).toBe(3000);
  expect(again.mean(1000, 1002)).toEqual({ focal: 1000.5, dice: 1, image: 2, total: -1000.5 });
  expect(again.term('total').at(-1)).toBe(-2999);
});

it('mean and spread are those of a sample', () => {
  expect(spreadOf([2, 4, 4, 4, 5, 5, 7, 9])).toMatchObject({ mean: 5, lowest: 2, highest: 9 });
  expect(spreadOf([2, 4, 4, 4, 5, 5, 7, 9]).deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(spreadOf([3]).deviation).toBe(0);
});

it('equal settings are equal text, and what differs is named', () => {
  expect(canonicalJson({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  expect(differences({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 1 }, d: [2] })).toEqual([
    'a.c is 2, was absent',
    'd is [1], was [2]',
  ]);
});
