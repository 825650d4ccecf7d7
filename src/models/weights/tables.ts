/** How weights are shown to people: lists, facts of a file, its tensors. Pure text; the command line prints it. */

import { basename } from 'node:path';
import type { WeightFileInfo } from '../../addon/native.js';
import { aligned } from '../../terminal/aligned.js';
import { formatBytes } from '../../terminal/bytes.js';
import { visible } from '../../terminal/visible.js';
import { countNumbers, countTensors, type Recipe } from '../recipe-tensors.js';
import type { Listed } from './list.js';
import type { WeightSizes } from './sizes.js';
import type { Verified } from './verify.js';

export function listTable(rows: readonly Listed[], paint: (text: string) => string): string {
  const section = (title: string, listed: readonly Listed[]) =>
    `${paint(title)}\n${aligned(listed.map(listRow), ['left', 'left', 'right', 'left', 'left'])}\n`;
  const models = rows.filter(({ kind }) => kind === 'model');
  const files = rows.filter(({ kind }) => kind === 'file');
  return `${section('models', models)}\n${section('published files', files)}`;
}

/** The last cell says where it is, what is wrong, or what it is while it is not here. */
function listRow({ name, state, bytes, licence, where, what, missing, place }: Listed): string[] {
  const size = bytes === 0 ? '' : `${place === 'public' ? '~' : ''}${formatBytes(bytes)}`;
  const last = missing ? `${where}: ${missing}` : (where ?? what);
  return [name, state, size, licence, last].map(visible);
}

export function inspectText(
  file: string,
  info: WeightFileInfo,
  sizes: WeightSizes,
  eachTensor: boolean,
): string {
  const bytes = info.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const types = [...new Set(info.tensors.map(({ dtype }) => dtype))].sort().join(', ');
  const facts = [
    ['container', info.container],
    ['naming', info.naming || 'no known family'],
    ...(info.prefix === '' ? [] : [['prefix', prefixText(info)]]),
    ...(info.files.length === 1 ? [] : [['files', info.files.map((path) => basename(path)).join(', ')]]),
    ...sizeRows(sizes),
    [
      'values',
      `${formatCount(sizes.values)} in ${info.tensors.length} tensors (${types}), ${formatBytes(bytes)}`,
    ],
    ...Object.entries(info.metadata).map(([key, value]) => [`metadata ${key}`, value]),
  ];
  const rows = eachTensor
    ? info.tensors.map(({ name, dtype, shape }) => [name, dtype, shapeText(shape), ''])
    : collapseBlocks(info.tensors);
  return [
    visible(file),
    indent(
      aligned(
        facts.map((row) => row.map(visible)),
        ['left', 'left'],
      ),
    ),
    '',
    indent(
      aligned(
        rows.map((row) => row.map(visible)),
        ['left', 'left', 'left', 'left'],
      ),
    ),
    '',
  ].join('\n');
}

function prefixText({ prefix, beside }: WeightFileInfo): string {
  return beside === 0 ? prefix : `${prefix} (${beside} tensors beside it are no part of the model)`;
}

/** The part of a model that no file holds. */
export function recipeText(recipe: Recipe): string {
  const rows = recipe.tensors.map(({ name, shape, values, exponent, base = 0 }) => {
    const made =
      exponent === undefined ? `all ${base}` : `${base === 0 ? '' : `${base} `}\u00b1 2^${-exponent}`;
    const times = name.includes('#') ? `x ${recipe.blocks}` : '';
    return [name, shapeText(shape ?? [values!.length]), values ? 'as listed' : made, times];
  });
  return [
    visible(`recipe ${recipe.salt}, made when the model is loaded`),
    indent(`values  ${formatCount(countNumbers([recipe]))} in ${countTensors(recipe)} tensors`),
    '',
    indent(
      aligned(
        rows.map((row) => row.map(visible)),
        ['left', 'left', 'left', 'left'],
      ),
    ),
    '',
  ].join('\n');
}

function sizeRows({ vision, text, prompts, jointWidth }: WeightSizes): string[][] {
  const rows: string[][] = [];
  if (vision) {
    const { width, layers, heads, patch, grid, registers, mlp } = vision;
    const extra = registers > 0 ? `, ${registers} registers` : '';
    rows.push([
      'vision tower',
      `width ${width}, ${layers} layers, ${heads} heads, patch ${patch}, positions ${grid}x${grid}, MLP ${mlp}${extra}`,
    ]);
  }
  if (text) {
    const { width, layers, heads, context, vocabulary, mlp } = text;
    rows.push([
      'text tower',
      `width ${width}, ${layers} layers, ${heads} heads, context ${context}, vocabulary ${vocabulary}, MLP ${mlp}`,
    ]);
  }
  if (jointWidth !== undefined) rows.push(['joint width', String(jointWidth)]);
  if (prompts) {
    const { width, context, deepSets, deepTokens } = prompts;
    rows.push([
      'prompts',
      `width ${width}, ${context} vectors, ${deepSets} layers with ${deepTokens} tokens of their own`,
    ]);
  }
  return rows;
}

/** One row for the same tensor of all blocks: blocks.#.attn.qkv.weight, times 12. */
function collapseBlocks(tensors: WeightFileInfo['tensors']): string[][] {
  const rows = new Map<string, { cells: string[]; times: number }>();
  for (const { name, dtype, shape } of tensors) {
    const cells = [name.replace(/(^|\.)\d+(?=\.|$)/, '$1#'), dtype, shapeText(shape)];
    const key = cells.join('\n');
    const row = rows.get(key);
    if (row) row.times++;
    else rows.set(key, { cells, times: 1 });
  }
  return [...rows.values()].map(({ cells, times }) => [...cells, times > 1 ? `x ${times}` : '']);
}

export function verifiedText({
  file,
  container,
  naming,
  tensors,
  sizes,
  bytes,
  sha256,
  promisedBy,
}: Verified): string {
  const who =
    promisedBy.length > 0
      ? `, as promised by ${promisedBy.join(' and ')}`
      : ', for which no checksum is known';
  return [
    `ok  ${visible(file)}`,
    `    ${container}, ${naming}: ${tensors} tensors, ${formatCount(sizes.values)} values, all finite; ${formatBytes(bytes)}`,
    `    sha256 ${sha256}${visible(who)}`,
    '',
  ].join('\n');
}

function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : `[${shape.join(', ')}]`;
}

function formatCount(values: number): string {
  return values < 1e6 ? String(values) : `${(values / 1e6).toFixed(1)} million`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
