import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { picturesCsv, resultsCsv } from '../../../src/evaluate/outputs/csv.js';
import { escapeLatex, latex } from '../../../src/evaluate/outputs/latex.js';
import { escapeMarkdown, markdown } from '../../../src/evaluate/outputs/markdown.js';
import { tablesOf } from '../../../src/evaluate/outputs/rows.js';
import { runText } from '../../../src/evaluate/outputs/text-table.js';
import { decodeRun, encodeRun } from '../../../src/runs/run-json.js';
import type { TestRun } from '../../../src/runs/test-run.js';
import { plain } from '../../../src/terminal/paint.js';
import { sampleRun } from './sample-run.js';

describe('the table', () => {
  it("has the paper's columns first and in its order, each AUPRO with its convention", () => {
    const { columns } = tablesOf(sampleRun());
    expect(columns.map(({ level, title, detail }) => `${level} ${title}${detail}`)).toEqual([
      'image AUROC',
      'image AP',
      'image F1max',
      'pixel AUROC',
      'pixel AUPRO@0.3 200',
      'pixel F1max',
      'pixel AP',
      'pixel AUPRO@0.3 exact',
      'pixel AUPRO@0.05 exact',
    ]);
  });

  it('shows the mean in both conventions where they differ, and a missing figure as n/a with its reason', () => {
    const text = runText(sampleRun(), plain);
    expect(text).toMatch(/^ {2}01 +3 +4 +80\.0 +80\.0 +80\.0 +90\.0 +n\/a +50\.0 +40\.0 +80\.0 +60\.0$/m);
    expect(text).toMatch(/^ {2}02 +0 +4 +n\/a +n\/a +n\/a +90\.0/m);
    expect(text).toMatch(/^ {2}mean +80\.0 +80\.0 +80\.0 +90\.0 +n\/a/m);
    expect(text).toMatch(/^ {2}mean, n\/a as 0 +40\.0 +40\.0 +40\.0 +90\.0 +0\.0/m);
    expect(text).toContain('mine: n/a, one label only: 02 (all image figures)');
    expect(text).toContain('mine: n/a, constant maps: 01 (pixel AUPRO @0.3 200); 02 (pixel AUPRO @0.3 200)');
    expect(text).toContain('intervals are too narrow for fewer than 10 pictures of a label: 01\n');
    expect(text).toContain('mine/01: 1 anomalous pictures without a mask are not in the pixel figures');
  });

  it('shows the mean once where the conventions agree, and of several sets their mean', () => {
    const run = sampleRun();
    const [set] = run.dataSets;
    const full = { ...set!, name: 'full', mean: { leftOut: set!.mean.leftOut, asZero: set!.mean.leftOut } };
    const { sets, overall } = tablesOf({ ...run, dataSets: [full, set!] });
    expect(sets.map(({ rows }) => rows.map(({ kind }) => kind))).toEqual([
      ['class', 'class', 'mean'],
      ['class', 'class', 'mean', 'mean-as-zero'],
    ]);
    expect(overall).toMatchObject({
      label: 'mean of 2 data sets',
      cells: [{ value: 0.8 }, {}, {}, {}, {}, {}, {}, {}, {}],
    });
  });

  it('begins with its warnings, and lets no name steer the terminal', () => {
    const run = { ...sampleRun(['\x1b[2J', '02']), warnings: ['never report them'] };
    const text = runText(run, plain);
    expect(text).toMatch(/^WARNING: never report them\n/);
    expect(text).not.toContain('\x1b');
  });
});

describe('beside the paper', () => {
  it("are the published row, its difference, the tables' errors and why it need not be equal", () => {
    const text = runText(sampleRun(), plain);
    expect(text).toContain("BTAD beside the paper's Crane (tables 1, 7, 8): ours (published, difference)");
    expect(text).toMatch(/^01 +80\.0 \(98\.3, -18\.3\)/m);
    expect(text).toMatch(/^mean, n\/a as 0 +40\.0 \(94\.4, -54\.4\) .* n\/a \(81\.3\) /m);
    expect(text).toContain('known error: Table 1 has an image F1max of 93.7 for Crane+');
    expect(text).toContain(
      "not comparable: the paper's prompts were learned on mvtec for this set; these on toys",
    );
  });

  it('marks the rows of classes that stand beside wrong labels', () => {
    const text = runText(sampleRun(['candle', 'pcb1'], { published: 'visa' }), plain);
    expect(text).toMatch(/^candle \? +80\.0 \(83\.3, -3\.3\)/m);
    expect(text).toContain('?: the published row may be that of another class');
  });

  it('is left out for sets that the paper does not have', () => {
    expect(runText(sampleRun(['a', 'b'], { published: null }), plain)).not.toContain('paper');
  });
});

describe('files of results', () => {
  const nasty = 'a&b_50%#{x}|`<b>\n$y$,"q"\\~^';

  it('results.csv has all digits, and the reasons', () => {
    const rows = parse(resultsCsv(sampleRun([nasty, '02'])), { columns: true }) as Record<string, string>[];
    expect(rows.map(({ row }) => row)).toEqual(['class', 'class', 'mean', 'mean-as-zero']);
    expect(rows[0]).toMatchObject({
      data_set: 'mine',
      class: nasty,
      image_auroc: '0.8',
      image_auroc_low: '0.7',
      'pixel_aupro_0.3_200': '',
      undefined: 'pixel_aupro_0.3_200: constant maps',
      learned_on_it: 'false',
    });
    expect(rows[1]!['image_auroc']).toBe('');
  });

  it('pictures.csv has every picture, with its score or why it has none', () => {
    const run = sampleRun();
    const place = { className: '01', kind: 'ok', maskPath: null, isAnomalous: false };
    run.dataSets[0]!.classes[0]!.pictures.push(
      { ...place, index: 0, path: 'a,"b".png', score: 0.1, mapMax: 0.2, width: 3, height: 4, map: null },
      { ...place, index: 1, path: 'b.png', error: { code: 'E_IMAGE_DECODE', message: 'damaged' } },
    );
    const rows = parse(picturesCsv(run), { columns: true }) as Record<string, string>[];
    expect(rows).toMatchObject([
      { picture: 'a,"b".png', score: '0.1', map_max: '0.2', error_code: '' },
      { picture: 'b.png', score: '', error_code: 'E_IMAGE_DECODE', error_message: 'damaged' },
    ]);
  });

  it('LaTeX: names are text, whatever they hold, and every row has its cells', () => {
    expect(escapeLatex(nasty)).toBe(
      'a\\&b\\_50\\%\\#\\{x\\}\\textbar{}`\\textless{}b\\textgreater{} \\$y\\$,"q"\\textbackslash{}\\textasciitilde{}\\textasciicircum{}',
    );
    const text = latex({
      ...sampleRun([nasty, '02'], { name: 'line\nbreak' }),
      warnings: ['first\n\\input{x}'],
    });
    for (const line of text.split('\n').filter((row) => row.includes('\\input'))) expect(line).toMatch(/^%/);
    const rows = text.split('\n').filter((line) => line.endsWith('\\\\') && !line.includes('multicolumn'));
    expect(rows).toHaveLength(5);
    for (const row of rows) expect(row.match(/(?<!\\)&/g)).toHaveLength(9);
  });

  it('Markdown: a name makes no cell, no line and no tag', () => {
    expect(escapeMarkdown(nasty)).not.toMatch(/\n|(?<!\\)[|<`]/);
    const text = markdown(sampleRun([nasty, '02']));
    const rows = text.split('\n').filter((line) => line.startsWith('| a'));
    expect(rows[0]!.match(/(?<!\\)\|/g)).toHaveLength(13);
    expect(text).toContain('| 80.0 (70.0 to 90.0) |');
  });

  it('results.json is read back as it was, curves as arrays, infinite thresholds too', () => {
    const run = sampleRun(['Infinity', '[\n 1,\n 2\n]']);
    const { image } = run.dataSets[0]!.classes[0]!.metrics;
    image.f1Max = { value: 0.5, threshold: Number.POSITIVE_INFINITY };
    image.histogram = {
      lowest: Number.NEGATIVE_INFINITY,
      highest: 1,
      normal: Float64Array.of(1, 2),
      anomalous: Float64Array.of(0, 1e-300),
    };
    const curve = {
      x: Float64Array.of(0, 1 / 3, 1),
      y: Float64Array.of(0, 0.1, 1),
      threshold: Float64Array.of(Number.POSITIVE_INFINITY, 0.5, -1e-9),
    };
    image.curves = { roc: curve, precisionRecall: curve };
    const text = encodeRun(run);
    expect(decodeRun(text)).toEqual(run);
    expect(encodeRun(decodeRun(text))).toBe(text);
    expect(text).toMatch(/^ +"x": \[0,0\.3333333333333333,1\],$/m);
  });

  it('results.json cannot hold NaN: that is a fault of ours', () => {
    const run = sampleRun() as TestRun;
    run.dataSets[0]!.classes[0]!.metrics.image.auroc = { value: Number.NaN };
    expect(() => encodeRun(run)).toThrow('NaN');
  });
});
