/** What clients are told: results as JSON, errors without anything of the machine in them. */
import { CraneError, type ErrorCode, errorTable } from '../errors.js';
import type { Answer, ToldError } from './engine-messages.js';
import type { Scored } from './supervisor.js';

export interface ErrorAnswer {
  error: ToldError;
  requestId: string;
}

/** Their messages are made of the request and of limits alone; those of the others may name files of the operator. */
const k_tellable =
  /^E_(IMAGE_.*|INPUT_.*|HTTP_.*|CALIBRATE_.*|DATA_ONE_CLASS|NORMALS|EXISTS|USAGE|METHOD|MODEL_CONFIG|QUEUE_FULL|SERVICE_DOWN|DEADLINE|CANCELLED|MEMORY)$/;

export function told({ code, message, hint }: CraneError): ToldError {
  // What is said of prompts names the operator's file, or what the request lacks.
  const isTellable = k_tellable.test(code) || (code === 'E_PROMPTS' && !/[\\/]/.test(message));
  if (!isTellable) return { code, message: errorTable[code].what };
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

export function statusOf(code: ErrorCode): number {
  return errorTable[code].http;
}

/** The whole request fails with it, not one picture of many. */
export function isOfService({ code }: CraneError): boolean {
  return statusOf(code) >= 500 || code === 'E_QUEUE_FULL' || code === 'E_CANCELLED';
}

export interface ResultBody {
  input: string;
  index: number;
  [field: string]: unknown;
}

export function resultBody(input: string, index: number, { answer, map, heatmap }: Scored): ResultBody {
  const { mapMax } = answer;
  return {
    input,
    index,
    ...answer.result,
    ...(mapMax === undefined ? {} : { mapMax }),
    ...(map ? { map: toldMap(answer.map!, map) } : {}),
    ...(heatmap ? { heatmap: { type: 'image/png', base64: base64(heatmap) } } : {}),
  };
}

/** Whole numbers are steps from `low` to `high`. */
function toldMap({ width, height, type, low, high }: NonNullable<Answer['map']>, bytes: Uint8Array): object {
  return {
    width,
    height,
    type: type === 'uint8' ? type : `${type}-le`,
    ...(type === 'float32' ? {} : { low, high }),
    base64: base64(bytes),
  };
}

export function failureBody(input: string, index: number, error: CraneError): ResultBody {
  return { input, index, error: told(error) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * The first of `offered` that the client takes best. `Accept` lists types with weights (RFC 9110, 12.5.1).
 * @throws CraneError E_HTTP_ACCEPT
 */
export function chooseType<T extends string>(accept: string | undefined, offered: readonly T[]): T {
  if (accept === undefined || accept.trim() === '') return offered[0]!;
  const ranges = accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = weight === undefined ? 1 : Number(weight.slice(2));
    return { type, quality: Number.isFinite(quality) ? quality : 0 };
  });
  const weightOf = (type: string): number => {
    const family = `${type.split('/')[0]}/*`;
    for (const wanted of [type, family, '*/*']) {
      const range = ranges.find((one) => one.type === wanted);
      if (range) return range.quality;
    }
    return 0;
  };
  const weights = offered.map(weightOf);
  const best = Math.max(...weights);
  if (best <= 0) {
    throw new CraneError('E_HTTP_ACCEPT', 'no answer of the kinds that Accept names', {
      hint: `there are ${offered.join(', ')}`,
    });
  }
  return offered[weights.indexOf(best)]!;
}
