import { describe, expect, it } from 'vitest';
import { findMethod, methodNames } from '../../../src/methods/registry.js';
import { runInProcess } from './run-in-process.js';

describe('methods list', () => {
  it('has one line for each method', async () => {
    const { code, stdout } = await runInProcess(['methods', 'list']);
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(methodNames());
    const { stdout: json } = await runInProcess(['methods', 'list', '--json']);
    expect(
      json
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).name),
    ).toEqual(methodNames());
  });
});

describe('methods show', () => {
  it('tells every setting with its default and what it takes, every option of learning, and what is needed', async () => {
    for (const name of methodNames()) {
      const { code, stdout } = await runInProcess(['methods', 'show', name]);
      expect(code).toBe(0);
      const descriptor = findMethod(name);
      for (const [setting, { help }] of Object.entries(descriptor.settings)) {
        const line = stdout.split('\n').find((text) => text.startsWith(`${setting} `))!;
        const value = descriptor.defaults[setting];
        const shown = Array.isArray(value) ? value.join(',') || 'none' : String(value);
        expect(line.split(/ {2,}/)[1]).toBe(shown);
        expect(line).toContain(help);
      }
      for (const [option, value] of Object.entries(descriptor.training?.defaults ?? {}))
        expect(stdout).toMatch(new RegExp(`^${option} +${String(value)}`, 'm'));
      expect(stdout).toContain(descriptor.backbone?.name ?? 'needs');
      for (const note of descriptor.about?.notes ?? []) expect(stdout).toContain(note);
    }
  });

  it('is the same as data', async () => {
    const { stdout } = await runInProcess(['methods', 'show', 'crane', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'crane',
      ranges: { score: [0, 1], map: [0, 1] },
      training: { epochs: 5, betas: [0.6, 0.999] },
      about: { paper: expect.stringContaining('2504.11055') },
    });
  });

  it('asks for a name, and knows the nearest', async () => {
    const none = await runInProcess(['methods', 'show']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('name the method to show')]);
    const near = await runInProcess(['methods', 'show', 'crnae']);
    expect(near.stderr).toContain('did you mean crane?');
    expect(near.code).toBeGreaterThan(0);
    const unknown = await runInProcess(['methods', 'tell']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('methods')]);
  });
});
