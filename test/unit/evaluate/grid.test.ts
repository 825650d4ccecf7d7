import { describe, expect, it } from 'vitest';
import { engineKey, gridCells, parseGrid, splitAxes } from '../../../src/evaluate/grid.js';

describe('a grid', () => {
  it('is every combination, the last axis fastest', () => {
    const cells = gridCells(parseGrid(['eAttn=vv,qq+kk+vv', 'fusion=true,false']));
    expect(cells.map(({ label, choices }) => [label, choices])).toEqual([
      ['eAttn=vv fusion=true', { eAttn: 'vv', fusion: true }],
      ['eAttn=vv fusion=false', { eAttn: 'vv', fusion: false }],
      ['eAttn=qq+kk+vv fusion=true', { eAttn: 'qq+kk+vv', fusion: true }],
      ['eAttn=qq+kk+vv fusion=false', { eAttn: 'qq+kk+vv', fusion: false }],
    ]);
    expect(new Set(cells.map(({ folder }) => folder)).size).toBe(4);
  });

  it('takes flags and names, and + within a list', () => {
    const [axis] = parseGrid(['features=24,6+12+18+24']);
    expect(axis!.values).toEqual([[24], [6, 12, 18, 24]]);
    expect(parseGrid(['guidance-at-test=none,pad-suffix'])[0]!.name).toBe('guidanceAtTest');
  });

  it('gives different values different folders, whatever they hold', () => {
    const cells = gridCells(parseGrid(['prompts=a/epoch_1.pth,a_epoch_1.pth,../b.pth', 'sigma=4,4.5']));
    expect(new Set(cells.map(({ folder }) => folder)).size).toBe(6);
    for (const { folder } of cells) expect(folder).not.toMatch(/[/\\]|\.\./);
  });

  it('knows which cells can share an engine', () => {
    const keys = gridCells(parseGrid(['precision=auto,float32', 'sigma=1,2'])).map(engineKey);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).not.toBe(keys[2]);
  });

  it.each([
    ['eAtn=vv', 'knows no option "eAtn"', 'did you mean eAttn?'],
    ['eAttn=xx', 'for eAttn in --grid but received "xx"', undefined],
    ['eAttn', 'Expected eAttn=VALUE,VALUE', undefined],
    ['eAttn=vv,vv', 'has eAttn=vv twice', undefined],
    ['threads=1,2', 'knows no option "threads"', undefined],
    ['limits=0.1', 'knows no option "limits"', undefined],
  ])('%s is refused', (text, message, hint) => {
    expect(() => parseGrid([text])).toThrow(message);
    if (hint) expect(() => parseGrid([text])).toThrow(expect.objectContaining({ hint }));
  });

  it('is refused where it names an option twice or has too many combinations', () => {
    expect(() => parseGrid(['sigma=1', 'sigma=2'])).toThrow('names sigma twice');
    const many = Array.from({ length: 40 }, (_, at) => at).join(',');
    expect(() => parseGrid([`sigma=${many}`, `dAttnBeta=${many}`])).toThrow('1600 combinations');
  });

  it('takes axes that the shell handed over as inputs, but no files', () => {
    expect(splitAxes(['../set', 'fusion=true,false', 'C:/x=1'], ['eAttn=vv,kk sigma=1'])).toEqual({
      data: ['../set', 'C:/x=1'],
      axes: ['eAttn=vv,kk', 'sigma=1', 'fusion=true,false'],
    });
  });
});
