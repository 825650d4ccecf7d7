/** What `demo` does: scores a model's sample pictures and writes their heat maps and one HTML page. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Engine } from '../../engine/engine.js';
import { isFailed, type PictureScore } from '../../engine/result.js';
import { CraneError } from '../../errors.js';
import { writeWhole } from '../../files/write-whole.js';
import { decodePicture } from '../../images/decode.js';
import { type HeatMapStyle, heatMapFile, legend, overlayPicture } from '../../images/heat-map.js';
import { maskOutline } from '../../images/mask-outline.js';
import { toPictureSource } from '../../images/picture-input.js';
import { readingOf } from '../../images/reading.js';
import { sharp } from '../../images/sharp.js';
import { defaultMethod, mapColours } from '../../methods/registry.js';
import type { Model } from '../../models/model-json.js';
import { defaultOf } from '../../options/table.js';
import { type ByGood, readGood, scoreByGood } from './by-good.js';
import { nameBelow } from './name-below.js';
import { type Page, type PagePicture, pageOf } from './page.js';

const k_legendWidth = 360;

const samplesSchema = z.array(
  z.object({
    picture: nameBelow,
    mask: nameBelow.nullable(),
    set: z.string(),
    kind: z.string(),
    anomalous: z.boolean(),
  }),
);
type Sample = z.infer<typeof samplesSchema>[number];

export interface DemoOutcome {
  /** path of the page */
  page: string;
  pictures: PictureScore[];
}

export interface DemoRun {
  engine: Engine;
  model: Model;
  out: string;
  overwrite: boolean;
  stop: AbortSignal;
  onResult: (total: number) => void;
}

/** @throws CraneError E_MODEL_NOT_FOUND when the model has no samples, E_EXISTS, E_IO_WRITE */
export async function runDemo(run: DemoRun): Promise<DemoOutcome> {
  const { engine, model, out, overwrite, stop } = run;
  const samples = await readSamples(model);
  const settings = engine.settings();
  const { mapThreshold } = settings;
  const style: HeatMapStyle = {
    ...mapColours(settings),
    mapThreshold,
    format: defaultOf('heatmapFormat'),
  };
  const inputs = samples.map((sample) => ({
    input: join(model.folder, 'samples', sample.picture),
    name: sample.picture,
  }));

  const good = await readGood(model);
  const sets = Object.keys(good).filter((set) => samples.some((sample) => sample.set === set));
  const compared = samples.filter((sample) => sets.includes(sample.set)).length;
  const total = samples.length + compared + sets.reduce((sum, set) => sum + good[set]!.length, 0);
  const onStep = () => run.onResult(total);

  const pictures: PictureScore[] = [];
  const shown: PagePicture[] = [];
  for await (const scored of engine.scoreMany(inputs, { map: true, regions: true, signal: stop })) {
    if (isFailed(scored))
      throw new CraneError(scored.error.code, scored.error.message, { hint: scored.error.hint });
    pictures.push(scored);
    shown.push(await showPicture(run, scored, samples[scored.index]!, style));
    onStep();
  }
  for (const set of sets) {
    const places = samples.flatMap((sample, at) => (sample.set === set ? [at] : []));
    const theirs = places.map((at) => inputs[at]!);
    const done = await scoreByGood(engine, model, good[set]!, theirs, { signal: stop, onStep });
    for (const [at, byGood] of done.entries()) {
      const place = places[at]!;
      shown[place]!.byGood = await showByGood(run, byGood, samples[place]!);
    }
  }

  const page = join(out, 'index.html');
  const parts = [...pageOf(await describePage(engine, model, shown, style))].map((part) => Buffer.from(part));
  await writeWhole(page, parts, { overwrite });
  return { page, pictures };
}

async function showPicture(
  { engine, model, out, overwrite }: DemoRun,
  scored: PictureScore,
  sample: Sample,
  style: HeatMapStyle,
): Promise<PagePicture> {
  const { addon } = engine;
  const { width, height, score, anomalous, map } = scored;
  const picture = await open(model, sample.picture);
  const heat = await heatMapFile(addon, picture, map!, style);
  await writeWhole(join(out, `${sample.picture.replace(/\.[^.]+$/, '')}.heat.${style.format}`), heat, {
    overwrite,
  });
  const overlay = await overlayPicture(addon, picture, map!, style);
  const rgb = await addon.resizePicture(picture, width, height);
  return {
    name: sample.picture,
    width,
    height,
    score,
    anomalous,
    regions: scored.regions?.length ?? null,
    truth: { set: sample.set, kind: sample.kind, anomalous: sample.anomalous },
    original: await sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 88 })
      .toBuffer(),
    overlay: await overlay.jpeg({ quality: 88 }).toBuffer(),
    ...(sample.mask === null
      ? {}
      : { outline: await maskOutline(addon, await open(model, sample.mask), width, height) }),
  };
}

async function showByGood(
  { engine, model }: DemoRun,
  { scored, count, mapThreshold }: ByGood,
  sample: Sample,
): Promise<NonNullable<PagePicture['byGood']>> {
  const colours = mapColours({ method: defaultMethod('normals'), mapThreshold });
  const style: HeatMapStyle = { ...colours, mapThreshold, format: defaultOf('heatmapFormat') };
  const picture = await open(model, sample.picture);
  const overlay = await overlayPicture(engine.addon, picture, scored.map!, style);
  const { score, anomalous } = scored;
  return {
    count,
    score,
    anomalous,
    regions: scored.regions?.length ?? null,
    overlay: await overlay.jpeg({ quality: 88 }).toBuffer(),
  };
}

function open(model: Model, file: string) {
  return decodePicture(toPictureSource(join(model.folder, 'samples', file)), {
    maxPixels: defaultOf('maxPixels'),
    reading: readingOf(),
  });
}

async function describePage(
  engine: Engine,
  model: Model,
  pictures: PagePicture[],
  style: HeatMapStyle,
): Promise<Page> {
  return {
    title: `${model.name}: sample pictures`,
    notes: [
      model.description,
      ...promptNotes(model, pictures),
      ...goodNotes(pictures),
      `Scores are comparable within one model and prompt set only. Colours of prompts run from ${style.low} to ${style.high} for all pictures.`,
    ],
    model: engine.facts.model,
    mapThreshold: style.mapThreshold,
    legend: await legend(engine.addon, k_legendWidth, style),
    pictures,
  };
}

/** None of a model whose method learns no prompts. */
export function promptNotes({ prompts }: Pick<Model, 'prompts'>, pictures: readonly PagePicture[]): string[] {
  if (prompts.default === undefined) return [];
  const { learnedOn } = prompts.sets[prompts.default]!;
  const sets = [...new Set(pictures.map(({ truth }) => truth!.set))];
  const known = sets.filter((set) => learnedOn.includes(set));
  return [
    `The prompts were learned on ${learnedOn.join(', ')}.`,
    ...(known.length > 0
      ? [
          `The samples come from ${known.join(', ')} too: this page shows what the output looks like, it is no zero-shot result.`,
        ]
      : []),
  ];
}

function goodNotes(pictures: PagePicture[]): string[] {
  const counts = pictures.flatMap(({ byGood }) => (byGood ? [byGood.count] : []));
  if (counts.length === 0) return [];
  const least = Math.min(...counts);
  const rate = Math.ceil(1e4 / (least + 1)) / 1e4;
  return [
    `On the right the same pictures without prompts, compared with ${least === Math.max(...counts) ? least : `${least} to ${Math.max(...counts)}`} good pictures of their kind, as score --normals-from GOOD --false-alarm-rate ${rate} does: nothing was trained on them, and they alone give the threshold, which so few can hold for ${Math.round(100 / (least + 1))} % false alarms at best. Its colours run to twice that threshold.`,
  ];
}

/** @throws CraneError E_MODEL_NOT_FOUND, E_MODEL_JSON */
export async function readSamples(model: Pick<Model, 'name' | 'folder'>): Promise<Sample[]> {
  const path = join(model.folder, 'samples', 'samples.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CraneError('E_MODEL_NOT_FOUND', `${model.name} has no sample pictures (${path})`, {
      hint: 'score your own: npx crane-native score FOLDER --heatmaps --out results',
      cause,
    });
  });
  try {
    return samplesSchema.parse(JSON.parse(text));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const where = issue ? `${issue.path.join('.')}: ${issue.message}` : (cause as Error).message;
    throw new CraneError('E_MODEL_JSON', `${path}: ${where}`, { cause });
  }
}
