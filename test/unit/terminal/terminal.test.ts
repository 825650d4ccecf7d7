import { describe, expect, it } from 'vitest';
import { formatBytes } from '../../../src/terminal/bytes.js';
import { painter, plain } from '../../../src/terminal/paint.js';
import { visible, visibleJson, visibleLines } from '../../../src/terminal/visible.js';

describe('texts for a terminal', () => {
  it.each([
    [0, '0 kB'],
    [1, '1 kB'],
    [999_001, '1000 kB'],
    [1_000_000, '1 MB'],
    [934_000_000, '934 MB'],
    [1_000_000_000, '1.00 GB'],
    [8 * 2 ** 30, '8.59 GB'],
  ])('shows %i bytes as %s, in powers of 1000', (bytes, shown) => {
    expect(formatBytes(bytes)).toBe(shown);
  });

  it('paints only where there are colours', () => {
    const { dim, red, green, yellow } = painter(true);
    expect([dim('a'), red('a'), green('a'), yellow('a')]).toEqual(
      [2, 31, 32, 33].map((code) => `\x1b[${code}ma\x1b[0m`),
    );
    expect([plain.dim('a'), plain.red('a'), plain.green('a'), plain.yellow('a')]).toEqual([
      'a',
      'a',
      'a',
      'a',
    ]);
  });

  it('lets no name steer the terminal', () => {
    expect(visible('a\x1b[2Jb\n\x9bc')).toBe('a\ufffd[2Jb\ufffd\ufffdc');
    expect(visible('Prüfung 検査 …')).toBe('Prüfung 検査 …');
    expect(visibleLines('a\x1b\nb\r')).toBe('a\ufffd\nb\ufffd');
  });

  it('lets no text of JSON steer it either, and changes none', () => {
    const value = { 'a\x9b': 'b\x1b[2J\x7f\x80\x9f\n', ok: 'ä検' };
    expect(visibleJson(value)).not.toMatch(/\p{Cc}/u);
    expect(JSON.parse(visibleJson(value))).toEqual(value);
    expect(visibleJson(value)).toContain('ä検');
  });
});
