import { describe, expect, it } from 'vitest';
import { escapeHtml, html, jsonData } from '../../../../src/pages/html.js';
import { simplified } from '../../../../src/pages/report/chart.js';
import { choosePictures } from '../../../../src/pages/report/choose-pictures.js';
import { histogramOf } from '../../../../src/pages/report/histogram.js';
import { bestF1Threshold, countsAt, scoreGroups } from '../../../../src/pages/report/score-groups.js';
import { meanSeries, type Series, valueAt } from '../../../../src/pages/report/series.js';
import { curvesOf, pooledRanking } from '../../../../src/pages/report/set-curves.js';
import { isScored } from '../../../../src/runs/test-run.js';
import { fixtureRun } from './fixture-run.js';

describe('html', () => {
  it('escapes texts, keeps markup made by itself, joins lists and shows nothing for null and false', () => {
    const inner = html`<b>${'<'}</b>`;
    expect(html`${inner}${['"', html`<i>`]}${null}${false}${0}`.text).toBe('<b>&lt;</b>&quot;<i>0');
  });

  it('makes control characters and turned writing visible', () => {
    expect(escapeHtml('a\u0000\u001b[31m\u202egnp.exe')).toBe('a\ufffd\ufffd[31m\ufffdgnp.exe');
  });

  it('writes JSON that cannot end its element and reads back the same', () => {
    const value = { name: '</script><!-- \u2028 &' };
    expect(jsonData(value).text).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(jsonData(value).text)).toEqual(value);
  });
});

describe('counts at a threshold', () => {
  const one = { set: 0, className: 'a', normal: [0.1, 0.2, 0.2, 0.5], anomalous: [0.2, 0.6, 0.7] };

  it('takes a score at the threshold as anomalous', () => {
    expect(countsAt([one], 0.2)).toEqual({
      truePositives: 3,
      falseNegatives: 0,
      falsePositives: 3,
      trueNegatives: 1,
    });
    expect(countsAt([one], 0.2000001)).toEqual({
      truePositives: 2,
      falseNegatives: 1,
      falsePositives: 1,
      trueNegatives: 3,
    });
  });

  it('finds the best F1, of equal ones the highest threshold', () => {
    expect(bestF1Threshold([one])).toBe(0.6);
    expect(bestF1Threshold([{ ...one, anomalous: [] }])).toBeUndefined();
    const tied = { set: 0, className: 'a', normal: [0.5, 0.5], anomalous: [0.4, 0.9] };
    // 2/3 at 0.9 (one of two found, no alarm) and at 0.4 (both found, two alarms)
    expect(bestF1Threshold([tied])).toBe(0.9);
  });

  it('groups all pictures, each set and each class once', () => {
    const groups = scoreGroups(fixtureRun())!;
    expect(groups.groups.map(({ classes }) => classes.length)).toEqual([6, 5, 1, 1, 1, 1, 1, 1]);
  });
});

describe('curves', () => {
  it('has the value of the upper end where a curve rises', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 0, y: 0.4 },
      { x: 0.5, y: 0.8 },
      { x: 1, y: 1 },
    ];
    expect(valueAt(points, 0)).toBe(0.4);
    expect(valueAt(points, 0.25)).toBeCloseTo(0.6, 12);
    expect(valueAt(points, 0.25, true)).toBe(0.8);
    expect(valueAt(points, 1.1)).toBeUndefined();
  });

  it('averages curves so that the area is the mean of the areas', () => {
    const line = (at: number): Series => ({
      label: '',
      look: 's0',
      points: [
        { x: 0, y: at },
        { x: 1, y: at + 0.2 },
      ],
    });
    const { points } = meanSeries('mean', [line(0.2), line(0.6)]);
    expect(points).toHaveLength(201);
    for (const { x, y } of points) expect(y).toBeCloseTo(0.4 + 0.2 * x, 12);
  });

  it('counts equal scores at once in the curve of all pictures', () => {
    const run = fixtureRun();
    const leaf = run.dataSets[1]!.classes[0]!;
    leaf.pictures = leaf.pictures
      .slice(0, 4)
      .map((picture, at) => ({ ...picture, score: 0.5, isAnomalous: at < 2 })) as typeof leaf.pictures;
    expect(pooledRanking([leaf])!.roc).toEqual([
      { x: 0, y: 0 },
      { x: 1, y: 1 },
    ]);
  });

  it('leaves pictures without a finite score out of that curve', () => {
    const [leaf] = fixtureRun().dataSets[1]!.classes;
    const before = pooledRanking([leaf!]);
    const odd = { ...leaf!.pictures.find(isScored)!, score: Number.NaN };
    const pictures = [odd, ...leaf!.pictures, { ...odd, score: Number.POSITIVE_INFINITY }];
    expect(pooledRanking([{ ...leaf!, pictures }])).toEqual(before);
  });

  it('leaves out charts without a line, and together-lines of a single class', () => {
    const [many, one] = fixtureRun().dataSets;
    expect(curvesOf(many!).map(({ series }) => series.length)).toEqual([6, 6, 5, 5, 5]);
    expect(curvesOf(one!).every(({ series }) => series.length === 1)).toBe(true);
    one!.classes[0]!.metrics = {
      ...one!.classes[0]!.metrics,
      pixel: { ...one!.classes[0]!.metrics.pixel, curves: undefined! },
    };
    expect(curvesOf(one!)).toHaveLength(2);
  });

  it('drops only points that cannot be seen', () => {
    const straight = Array.from({ length: 50 }, (_, x) => ({ x, y: 2 * x }));
    expect(simplified(straight)).toEqual([straight[0], straight[49]]);
    const corner = [
      { x: 0, y: 0 },
      { x: 0, y: 5 },
      { x: 5, y: 5 },
    ];
    expect(simplified(corner)).toEqual(corner);
    const spike = [
      { x: 0, y: 0 },
      { x: 0, y: 9 },
      { x: 0, y: 4 },
    ];
    expect(simplified(spike)).toEqual(spike);
  });
});

describe('histograms', () => {
  it('hold every score once, the ends too, as shares of their label', () => {
    const { normal, anomalous } = histogramOf(
      [{ set: 0, className: '', normal: [0, 0.5, 1, 1], anomalous: [] }],
      0,
      1,
    );
    expect(normal.reduce((sum, share) => sum + share, 0)).toBe(1);
    expect([normal[0], normal[20], normal[39]]).toEqual([0.25, 0.25, 0.5]);
    expect(anomalous.every((share) => share === 0)).toBe(true);
  });
});

describe('choice of pictures', () => {
  it('takes what misleads of every class first and counts what does not fit', () => {
    const { dataSets } = fixtureRun();
    const all = choosePictures(dataSets, 1000);
    expect(all.leftOut).toBe(0);
    expect(all.pictures).toHaveLength(33);
    const few = choosePictures(dataSets, 6);
    expect(few.leftOut).toBe(27);
    expect(few.pictures.map(({ role }) => role)).toEqual(Array(6).fill('faint anomalous'));
    expect(new Set(few.pictures.map(({ className }) => className)).size).toBe(6);
  });

  it('shows no picture twice', () => {
    const { dataSets } = fixtureRun();
    const leaf = dataSets[1]!.classes[0]!;
    leaf.examples = { bestNormal: [0], worstNormal: [0], bestAnomalous: [30], worstAnomalous: [30] };
    expect(choosePictures([dataSets[1]!], 100).pictures.map(({ role }) => role)).toEqual([
      'faint anomalous',
      'suspicious normal',
    ]);
  });
});
