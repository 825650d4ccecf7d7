/** The figures for people. */

import { type Align, aligned } from '../terminal/aligned.js';
import { formatBytes } from '../terminal/bytes.js';
import type { Paint } from '../terminal/paint.js';
import { isBusy } from './machine.js';
import type { BenchReport, BenchRun, Failure, PartyFigures } from './report.js';

/** Ends with a newline. */
export function benchText(report: BenchReport, paint: Paint): string {
  const runs = report.runs.map((run) => {
    const failures = report.failures.filter(({ threads }) => threads === run.threads);
    return runText(run, failures, paint);
  });
  const blocks = [headText(report, paint), ...runs];
  if (report.runs.length === 0) blocks.push('nothing was measured');
  return `${blocks.join('\n\n')}\n`;
}

function headText(
  { machine, engine, model, work, date, command, interrupted }: BenchReport,
  paint: Paint,
): string {
  const { input } = model;
  const rows = [
    [
      'machine',
      `${machine.cpu}, ${machine.processors} processors, ${formatBytes(machine.memoryBytes)}; ${machine.system}`,
    ],
    [
      'engine',
      `crane-native ${engine.version}, libtorch ${engine.libtorch}, ${engine.device}, ${engine.isa}`,
    ],
    ['kernels', engine.kernels],
    [
      'model',
      `${model.name}${model.synthetic ? ' (random weights)' : ''}, method ${model.method}, ${(model.parameters / 1e6).toFixed(0)} M parameters, input ${input.width} x ${input.height}`,
    ],
    ['work', `${digits(work.gflop)} GFLOP a picture`],
    ['date', date.slice(0, 10)],
    ['command', command],
  ].map(([name, text]) => [paint.dim(name!), text!]);
  const lines = [aligned(rows, ['left', 'left'])];
  if (isBusy(machine)) {
    lines.push(
      paint.yellow(
        `the machine was busy before (load ${machine.loadBefore.toFixed(1)}): read the columns from CPU s on`,
      ),
    );
  }
  if (interrupted) lines.push(paint.yellow('interrupted: what was measured until then'));
  return lines.join('\n');
}

interface Column {
  title: string;
  align: Align;
  cell(party: PartyFigures, run: BenchRun): string;
}

const columns: readonly Column[] = [
  { title: '', align: 'left', cell: ({ name }) => name },
  { title: 's/picture', align: 'right', cell: ({ secondsPerPicture }) => digits(secondsPerPicture.median) },
  { title: 'min', align: 'right', cell: ({ secondsPerPicture }) => digits(secondsPerPicture.min) },
  { title: 'max', align: 'right', cell: ({ secondsPerPicture }) => digits(secondsPerPicture.max) },
  { title: 'pictures/s', align: 'right', cell: ({ picturesPerSecond }) => digits(picturesPerSecond) },
  { title: 'of peak', align: 'right', cell: ({ shareOfPeak }) => percent(shareOfPeak) },
  { title: 'of product', align: 'right', cell: ({ shareOfProduct }) => percent(shareOfProduct) },
  { title: 'ours/its', align: 'right', cell: ({ ratio }) => (ratio === null ? '' : ratio.toFixed(2)) },
  {
    title: 'CPU s',
    align: 'right',
    cell: ({ cpuSecondsPerPicture }) => (cpuSecondsPerPicture === null ? '-' : digits(cpuSecondsPerPicture)),
  },
  { title: 'of peak', align: 'right', cell: ({ cpuShareOfPeak }) => percent(cpuShareOfPeak) },
  {
    title: 'ours/its',
    align: 'right',
    cell: ({ cpuRatio }) => (cpuRatio === null ? '' : cpuRatio.toFixed(2)),
  },
  {
    title: 'memory',
    align: 'right',
    cell: ({ peakBytes }) => (peakBytes === null ? '-' : formatBytes(peakBytes)),
  },
];

function runText(run: BenchRun, failures: readonly Failure[], paint: Paint): string {
  const absent = failures.filter(({ name }) => !run.parties.some((party) => party.name === name));
  const rows = [
    columns.map(({ title }) => paint.dim(title)),
    ...run.parties.map((party) => columns.map(({ cell }) => cell(party, run))),
    ...absent.map(({ name }) => [name, paint.red('failed'), ...columns.slice(2).map(() => '')]),
  ];
  const table = aligned(
    rows,
    columns.map(({ align }) => align),
  );
  const why = failures.map(({ name, message }) => `  ${name}: failed: ${message}`);
  return [
    headOf(run),
    table,
    ...[...limitLines(run), ...ownLines(run), ...peerLines(run)].map(paint.dim),
    ...why.map(paint.yellow),
  ].join('\n');
}

function headOf({ batch, threads, gemm, peak, p, parties }: BenchRun): string {
  const own = parties[0]!;
  const counts = `batch ${batch}, ${plural(threads, 'thread')}, ${own.precision}, ${plural(own.rounds, 'round')}`;
  const { shareOfPeak, cpuShareOfPeak } = own;
  const byCpu = cpuShareOfPeak === null ? '' : `, by processor time ${(1 / cpuShareOfPeak).toFixed(2)} P`;
  const limit =
    p === null || shareOfPeak === null
      ? ''
      : `, so P = ${digits(p)} s a picture; ours ${(1 / shareOfPeak).toFixed(2)} P${byCpu}`;
  const rate = peak
    ? `peak ${digits(peak.gflops)} GFLOP/s (${peak.instruction})`
    : `no peak of ${own.precision} was measured, matrix products ${digits(gemm.gflops)} GFLOP/s`;
  return `${counts}; ${rate}${limit}`;
}

function limitLines({ peaks, peak, gemm }: BenchRun): string[] {
  const product = `libtorch's product of ${gemm.size} x ${gemm.size} ${gemm.precision} ${digits(gemm.gflops)} GFLOP/s`;
  if (!peak) return [`  ${product}`];
  const formats = [...new Set(peaks.map(({ format }) => format))].map((format) => {
    const rates = peaks.filter((each) => each.format === format);
    return `${format} ${rates.map(({ face, gflops }) => `${face} ${digits(gflops)}`).join(', ')}`;
  });
  return [
    `  peaks of this CPU in 1e9 operations/s: ${formats.join('; ')}`,
    `  ${product}, ${percent(gemm.gflops / peak.gflops)} of the peak`,
  ];
}

function ownLines({ parties }: BenchRun): string[] {
  const { stages, openSeconds, openPeakBytes, residentBytes, weightBytes } = parties[0]!;
  const memory = [
    weightBytes === undefined ? [] : `weights ${formatBytes(weightBytes)}`,
    openPeakBytes === undefined ? [] : `at most ${formatBytes(openPeakBytes)} while loading`,
    residentBytes === null ? [] : `${formatBytes(residentBytes)} after the last picture`,
  ].flat();
  const lines = [`  ours: memory: ${memory.join(', ')}`];
  if (openSeconds !== undefined) lines.push(`  ours: loaded in ${digits(openSeconds)} s`);
  if (stages) {
    const parts = Object.entries(stages).map(([stage, ms]) => `${stage} ${ms.toFixed(1)}`);
    lines.unshift(`  ours: stages in ms a picture: ${parts.join(', ')}`);
  }
  return lines;
}

function peerLines({ parties }: BenchRun): string[] {
  return parties.slice(1).map(({ name, title, versions, precision }) => {
    const built = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
    return `  ${name}: ${[title, ...built, precision].join(', ')}`;
  });
}

function digits(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(100 * share).toFixed(0)} %`;
}
