/**
 * Shows that the comparisons can fail: one value of each kind of tensor, of the backbone and of what was learned, is
 * changed a little in its file, and at least one key must then leave its tolerance.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeAddon } from '#crane/addon/native.js';
import { addToValue } from '../parity/disturb/weight-file.js';
import { elementCount, SafetensorsFile } from '../parity/fixture/safetensors.js';
import { CaseReport } from '../parity/report/case-report.js';
import { describe, type RunReport } from '../parity/report/run-report.js';
import type { Case } from './fixture/cases.js';
import { Subject, type SubjectFiles } from './fixture/subject.js';
import type { System } from './system.js';
import { systems } from './systems.js';

/** Single values hardly matter sometimes, for instance where their input is near zero. */
const k_attempts = 12;
const k_amount = 2e-2;
/** Never read: the systems' scales are fixed. */
const k_unused = /^logit_scale$/;

class Noticed extends Error {}

interface Check {
  cases: readonly Case[];
  addon: NativeAddon;
  scratch: string;
  report: RunReport;
}

export async function selfCheck({ cases, addon, scratch, report }: Check): Promise<number> {
  let unnoticed = 0;
  let total = 0;
  for (const one of cases) {
    const system = systems.find(({ name }) => name === one.system);
    if (!system) {
      report.notBuilt(one.name, `there is no comparison of system "${one.system}"`);
      continue;
    }
    report.heading(one.name);
    const undisturbed = await worstOf(one, system, addon, {});
    report.line(`undisturbed: error/tolerance ${undisturbed.ratio.toFixed(2)} at ${undisturbed.key}`);
    if (undisturbed.ratio > 1) {
      report.line('0 passed, 1 failed: it fails without any disturbance');
      return 1;
    }
    for (const { kind, file, tensors } of kindsOf(one, system)) {
      total++;
      const { where, worst } = await disturb(one, system, { addon, scratch }, file, tensors);
      const isNoticed = worst.ratio > 1;
      if (!isNoticed) unnoticed++;
      report.line(
        `${kind.padEnd(44)} ${where.padEnd(60)} ${isNoticed ? 'noticed' : 'NOT NOTICED'}  ` +
          `error/tolerance ${worst.ratio.toFixed(2)} at ${worst.key}`,
      );
    }
  }
  report.line(`${total - unnoticed} of ${total} disturbances noticed`);
  report.line(`${total - unnoticed} passed, ${unnoticed} failed`);
  return unnoticed > 0 ? 1 : 0;
}

type FileKind = Exclude<keyof SubjectFiles, 'tokens'>;

/** Tensors of one kind differ in numbers alone: blocks, levels, heads. */
function kindsOf(one: Case, { unused }: System): { kind: string; file: FileKind; tensors: string[] }[] {
  const kinds = new Map<string, { kind: string; file: FileKind; tensors: string[] }>();
  const files: [FileKind, SafetensorsFile | undefined][] = [
    ['weights', new SafetensorsFile(one.backbone.files.weights)],
    ['trainable', one.trainable],
  ];
  for (const [file, tensors] of files) {
    for (const name of tensors?.names() ?? []) {
      if (k_unused.test(name) || unused?.test(name)) continue;
      const kind = `${file}: ${name.replace(/\d+/g, '#')}`;
      const entry = kinds.get(kind) ?? { kind, file, tensors: [] };
      entry.tensors.push(name);
      kinds.set(kind, entry);
    }
  }
  return [...kinds.values()];
}

interface Worst {
  ratio: number;
  key: string;
}

async function disturb(
  one: Case,
  system: System,
  { addon, scratch }: Pick<Check, 'addon' | 'scratch'>,
  file: FileKind,
  tensors: readonly string[],
): Promise<{ where: string; worst: Worst }> {
  const from = file === 'weights' ? one.backbone.files.weights : one.trainable!.path;
  const disturbed = join(scratch, 'disturbed.safetensors');
  let worst: Worst = { ratio: 0, key: 'no key' };
  let where = '';
  for (let attempt = 0; attempt < k_attempts && worst.ratio <= 1; attempt++) {
    const tensor = tensors[attempt % tensors.length]!;
    const count = elementCount(new SafetensorsFile(from).shape(tensor));
    const index = Math.floor(((0.31 + 0.377 * attempt) % 1) * count);
    where = `${tensor}[${index}] + ${k_amount}`;
    copyFileSync(from, disturbed);
    addToValue(disturbed, tensor, index, k_amount);
    worst = await worstOf(one, system, addon, { [file]: disturbed });
  }
  return { where, worst };
}

/** Runs the comparison until one key leaves its tolerance; values that the engine refuses are noticed too. */
async function worstOf(
  one: Case,
  system: System,
  addon: NativeAddon,
  files: Partial<SubjectFiles>,
): Promise<Worst> {
  const report = new CaseReport('self-check');
  const worst = () =>
    report.lines.reduce<Worst>(
      (most, { key, comparison }) =>
        comparison.ratio > most.ratio ? { ratio: comparison.ratio, key } : most,
      { ratio: 0, key: 'no key' },
    );
  const onCompared = () => {
    if ((report.lines.at(-1)?.comparison.ratio ?? 0) > 1) throw new Noticed();
  };
  const subject = new Subject(one, { addon, report, files, onCompared });
  try {
    await system.compare(subject);
  } catch (thrown) {
    if (!(thrown instanceof Noticed)) return { ratio: Number.POSITIVE_INFINITY, key: describe(thrown) };
  } finally {
    await subject.dispose();
  }
  return worst();
}
