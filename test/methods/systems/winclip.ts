/** WinCLIP: sentences, windows, both maps, without and beside normal pictures. */
import type { MethodOptions, TraceResult } from '#crane/addon/native.js';
import { defaultMethod } from '#crane/methods/registry.js';
import type { Numbers } from '../../parity/compare/compare.js';
import type { Subject } from '../fixture/subject.js';
import type { System } from '../system.js';

export const winclip: System = {
  name: 'winclip',
  async compare(subject) {
    const cells = /^windows\.cells_scale(\d+)$/;
    const sides = subject.keys(cells).map((key) => Number(cells.exec(key)![1]));
    const method: MethodOptions = {
      ...defaultMethod('winclip'),
      windowSides: sides.sort((a, b) => a - b),
      mapSide: subject.expected('zero.map').shape[1]!,
    };
    await compareSentences(subject, method);
    const zero = await traced(subject, method);
    compareWindows(subject, sides, zero);
    subject.compare('vis.window_features', windowsFirst(zero['window_features']!));
    subject.compare('score.p_normal_abnormal', windowsFirst(zero['window_probabilities']!));
    subject.compare('map.textual_grid', zero['textual_map']!.data);
    subject.compare('zero.map', zero['map']);
    subject.compare('zero.image_score', zero['score']);
    await compareOtherSides(subject, method);

    const few = await traced(subject, method, 'reference_u8');
    subject.compare('map.visual_grid', few['visual_map']!.data);
    subject.compare('few.map', few['map']);
    subject.compare('few.image_score', few['score']);
  },
};

async function traced(subject: Subject, method: MethodOptions, normals?: string): Promise<TraceResult> {
  const engine = await subject.engine('winclip');
  const material = await subject.material(method);
  const context = await engine.addContext(
    normals === undefined ? material : { ...material, normals: subject.rgb(normals) },
    method,
  );
  const { input, shape } = subject.batch();
  return engine.trace(input, shape, context, method);
}

async function compareSentences(subject: Subject, method: MethodOptions): Promise<void> {
  const engine = await subject.engine('winclip');
  const material = await subject.material(method);
  const text = await engine.traceContext(material, method, undefined);
  subject.compare('text.features', text['text_features']);
  subject.compare('text.mean_raw', text['text_mean']);
  // One sentence is shown, wherever it stands among the others.
  const wanted = Array.from(subject.expected('text.example_ids').data).join();
  const found = Object.entries(material.texts).flatMap(([group, sentences]) =>
    sentences.flatMap((ids, at) => (ids.join() === wanted ? [{ group, at, ids }] : [])),
  )[0];
  subject.compare('text.example_ids', found?.ids);
  subject.compare('text.example_raw', found && rowOf(text[`sentences.${found.group}`]!, found.at));
}

function compareWindows(subject: Subject, sides: readonly number[], trace: TraceResult): void {
  const begins: number[] = [];
  let count = 0;
  for (const side of sides) {
    const key = `windows.cells_scale${side}`;
    const [windows] = subject.expected(key).shape as [number];
    const { data, shape } = trace[`windows.side${side}`]!;
    const length = shape[1]!;
    // Of the first picture; a row is the class token and 1 + each cell.
    const cells = Array.from({ length: windows }, (_, at) =>
      Array.from(data.subarray(at * length + 1, (at + 1) * length), (row) => row - 1),
    );
    begins.push(count);
    count += shape[0]! / subject.pictures;
    subject.compare(key, { shape: [shape[0]! / subject.pictures, length - 1], data: cells.flat() });
  }
  subject.compare('windows.scale_begin', begins);
  subject.compare('windows.count', [count]);
}

/** "scales_2_3_full.zero.map": other sides; full is the grid's own. */
async function compareOtherSides(subject: Subject, method: MethodOptions): Promise<void> {
  const prefix = /^(scales_[\w]+)\./;
  const grid = subject.side / subject.of.backbone.patch;
  for (const name of new Set(subject.keys(prefix).map((key) => prefix.exec(key)![1]!))) {
    const windowSides = name
      .split('_')
      .slice(1)
      .map((side) => (side === 'full' ? grid : Number(side)));
    const trace = await traced(subject, { ...method, windowSides });
    subject.compare(`${name}.map.textual_grid`, trace['textual_map']!.data);
    subject.compare(`${name}.zero.map`, trace['map']);
    subject.compare(`${name}.zero.image_score`, trace['score']);
  }
}

/** [pictures, windows, width] -> [windows, pictures, width]. */
function windowsFirst({ data, shape }: { data: Float32Array; shape: number[] }): Numbers {
  const [pictures, windows, width] = shape as [number, number, number];
  const turned = new Float32Array(data.length);
  for (let picture = 0; picture < pictures; picture++) {
    for (let window = 0; window < windows; window++) {
      const from = (picture * windows + window) * width;
      turned.set(data.subarray(from, from + width), (window * pictures + picture) * width);
    }
  }
  return { shape: [windows, pictures, width], data: turned };
}

function rowOf({ data, shape }: { data: Float32Array; shape: number[] }, at: number): Float32Array {
  const width = shape[1]!;
  return data.subarray(at * width, (at + 1) * width);
}
