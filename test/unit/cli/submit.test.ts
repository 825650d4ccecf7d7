/** What makes work of the queue the same work: its id. */
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { titleOf } from '../../../src/cli/submit.js';

const inputs = ['pictures', 's3://bucket/pictures', '-'];
const title = (more: Parameters<typeof titleOf>[1] = {}, folder = '/here') =>
  titleOf(inputs, { chunk: 100, recursive: false, ...more }, (path) => resolve(folder, path));

it('is the same for the same command, and by whole paths', () => {
  expect(title()).toBe(title());
  const whole = [join('/here', 'pictures'), ...inputs.slice(1)];
  expect(titleOf(whole, { chunk: 100, recursive: false }, (path) => resolve('/there', path))).toBe(title());
});

it('is another one for other pictures, and other chunks of them', () => {
  const others = [
    title(),
    title({}, '/there'),
    title({ limit: 10 }),
    title({ chunk: 50 }),
    title({ recursive: true }),
    title({ includeMasks: true }),
    title({ followLinks: true }),
    title({ manifest: 'rows.jsonl' }),
  ];
  expect(new Set(others).size).toBe(others.length);
});
