/** Tensors of the Open Inference Protocol (REST, version 2, with the extension for binary data) to pictures. */
import { CraneError } from '../../errors.js';
import type { PictureForm } from '../engine-messages.js';
import type { RequestLimits } from './named-picture.js';
import { tooLarge } from './read-body.js';
import { fromBase64, parseJson } from './read-pictures.js';
import { type ChoicesReader, outputOptions, requestNames } from './request-options.js';

export interface TensorPicture {
  bytes: Uint8Array;
  form: PictureForm;
}

export const outputNames = ['SCORE', 'ANOMALOUS', 'MAP', 'REGIONS'] as const;
export type OutputName = (typeof outputNames)[number];

export interface InferRequest {
  id: string | undefined;
  pictures: TensorPicture[];
  /** undefined: the client leaves the choice to us */
  outputs: { name: OutputName; isBinary: boolean }[] | undefined;
  isBinary: boolean;
}

interface InputTensor {
  name: string;
  datatype: string;
  shape: number[];
  data: unknown;
  binary: Uint8Array | undefined;
}

/** Longer ones could not be given back as they are. */
const k_maxId = 256;

/**
 * @param headLength of `Inference-Header-Content-Length`: the rest of the body is binary data
 * @throws CraneError E_HTTP_REQUEST, E_HTTP_TOO_LARGE, E_USAGE
 */
export function readInferRequest(
  body: Buffer,
  headLength: string | undefined,
  reader: ChoicesReader,
  { maxFiles, maxJsonBody }: Pick<RequestLimits, 'maxFiles' | 'maxJsonBody'>,
): InferRequest {
  const length = headLength === undefined ? body.length : Number(headLength);
  if (!Number.isSafeInteger(length) || length < 0 || length > body.length)
    throw new CraneError('E_HTTP_REQUEST', 'Inference-Header-Content-Length is none of this body');
  if (length > maxJsonBody) throw tooLarge(maxJsonBody, 'JSON');
  const head = parseJson(body.subarray(0, length));
  const { binary_data_output: isBinary, ...parameters } = objectOr(head['parameters'], 'parameters');
  for (const [name, value] of Object.entries(parameters)) takeParameter(reader, name, value);
  const [input, ...others] = tensorsOf(head['inputs'], body.subarray(length));
  if (!input || others.length > 0)
    throw new CraneError('E_HTTP_REQUEST', 'Expected one input: IMAGE (BYTES) or PIXELS (UINT8)');
  const pictures = picturesOf(input, maxFiles);
  if (pictures.length === 0) throw new CraneError('E_HTTP_REQUEST', 'there is no picture in the request');
  return {
    id: idOf(head['id']),
    pictures,
    outputs: outputsOf(head['outputs']),
    isBinary: flagOr(isBinary, 'binary_data_output'),
  };
}

function idOf(id: unknown): string | undefined {
  if (id === undefined || (typeof id === 'string' && id.length <= k_maxId)) return id;
  throw new CraneError('E_HTTP_REQUEST', `id is no text of at most ${k_maxId} characters`);
}

function flagOr(value: unknown, where: string): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw new CraneError('E_HTTP_REQUEST', `${where} is neither true nor false`);
}

/** Parameters of the protocol are texts, numbers and booleans: what is no such thing in JSON is written as in a query. */
function takeParameter(reader: ChoicesReader, name: string, value: unknown): void {
  if (outputOptions.includes(name as never)) {
    throw new CraneError('E_USAGE', `"${name}" is no parameter here: outputs say what is answered`, {
      hint: 'ask for the outputs MAP and REGIONS; heat maps and other types of maps are those of /v1/score',
    });
  }
  if (typeof value === 'string' && requestNames.includes(name as never)) reader.takeText(name, value);
  else reader.takeJson(name, value);
}

/** The parameters of a tensor. @returns the one that it may have */
function parameterOf(tensor: Record<string, unknown>, where: string, name: string): unknown {
  const { [name]: value, ...others } = objectOr(tensor['parameters'], `${where}.parameters`);
  const [strange] = Object.keys(others);
  if (strange === undefined) return value;
  const shown = JSON.stringify(strange.slice(0, 80));
  throw new CraneError('E_HTTP_REQUEST', `${where} takes no parameter ${shown}`, {
    hint: `it takes ${name}; options are parameters of the request`,
  });
}

function objectOr(value: unknown, where: string): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new CraneError('E_HTTP_REQUEST', `${where} is no object`);
}

function tensorsOf(inputs: unknown, binary: Buffer): InputTensor[] {
  if (!Array.isArray(inputs)) throw new CraneError('E_HTTP_REQUEST', 'inputs is no list');
  let at = 0;
  const tensors = inputs.map((entry: unknown, index) => {
    const where = `inputs[${index}]`;
    const tensor = objectOr(entry ?? null, where);
    const { name, datatype, shape, data } = tensor;
    if (typeof name !== 'string' || typeof datatype !== 'string' || !isShape(shape))
      throw new CraneError('E_HTTP_REQUEST', `${where} needs name, datatype and shape`);
    const size = parameterOf(tensor, where, 'binary_data_size');
    if (size === undefined) return { name, datatype, shape, data, binary: undefined };
    if (!Number.isSafeInteger(size) || (size as number) < 0 || at + (size as number) > binary.length)
      throw new CraneError('E_HTTP_REQUEST', `${where}: binary_data_size is none of this body`);
    if (data !== undefined)
      throw new CraneError(
        'E_HTTP_REQUEST',
        `${where} has both data and binary_data_size: which one is meant?`,
      );
    const bytes = binary.subarray(at, at + (size as number));
    at += size as number;
    return { name, datatype, shape, data, binary: bytes };
  });
  if (at !== binary.length) throw new CraneError('E_HTTP_REQUEST', 'there are bytes behind the last input');
  return tensors;
}

function isShape(shape: unknown): shape is number[] {
  return (
    Array.isArray(shape) &&
    shape.length <= 8 &&
    shape.every((side) => Number.isSafeInteger(side) && side >= 0)
  );
}

function picturesOf(input: InputTensor, maxFiles: number): TensorPicture[] {
  const { name, datatype, shape } = input;
  const checkCount = (count: number) => {
    if (count > maxFiles)
      throw new CraneError('E_HTTP_TOO_LARGE', `${count} pictures, the limit is ${maxFiles}`);
  };
  if (name === 'IMAGE' && datatype === 'BYTES') {
    const count = shape.reduce((product, side) => product * side, 1);
    checkCount(count);
    const files = input.binary ? splitBytes(input.binary, count) : encodedFiles(input.data, count);
    return files.map((bytes) => ({ bytes, form: { kind: 'file' } }));
  }
  if (name === 'PIXELS' && datatype === 'UINT8') {
    const [count, height, width, channels] = shape.length === 3 ? [1, ...shape] : shape;
    if (shape.length < 3 || shape.length > 4 || (channels !== 1 && channels !== 3 && channels !== 4)) {
      throw new CraneError(
        'E_IMAGE_SHAPE',
        `Expected [H, W, C] or [N, H, W, C] with C of 1, 3 or 4 for PIXELS`,
      );
    }
    checkCount(count!);
    const bytes = input.binary ?? plainBytes(input.data);
    const one = height! * width! * channels;
    if (bytes.length !== one * count!)
      throw new CraneError(
        'E_IMAGE_SHAPE',
        `PIXELS has ${bytes.length} values, its shape says ${one * count!}`,
      );
    const form = { kind: 'pixels', width: width!, height: height!, channels } as const;
    return Array.from({ length: count! }, (_, at) => ({
      bytes: bytes.subarray(at * one, (at + 1) * one),
      form,
    }));
  }
  throw new CraneError('E_HTTP_REQUEST', 'Expected the input IMAGE of type BYTES or PIXELS of type UINT8', {
    hint: 'GET /v2/models/NAME tells the inputs',
  });
}

function checkElements(found: number | string, count: number): void {
  if (found !== count)
    throw new CraneError('E_IMAGE_SHAPE', `IMAGE has ${found} elements, its shape says ${count}`);
}

/** Each element has its length before it, 4 bytes, little-endian. No more are made than the shape says: empty ones are millions. */
function splitBytes(binary: Uint8Array, count: number): Uint8Array[] {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < binary.length; ) {
    if (elements.length === count) checkElements(`more than ${count}`, count);
    const length = at + 4 <= binary.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > binary.length)
      throw new CraneError('E_HTTP_REQUEST', 'IMAGE: an element is longer than the data');
    elements.push(binary.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  checkElements(elements.length, count);
  return elements;
}

function encodedFiles(data: unknown, count: number): Uint8Array[] {
  if (!Array.isArray(data)) throw new CraneError('E_HTTP_REQUEST', 'IMAGE has no data');
  const texts: unknown[] = data.flat(7);
  checkElements(texts.length, count);
  return texts.map((text: unknown, at) => fromBase64(text, `IMAGE[${at}]`));
}

function plainBytes(data: unknown): Uint8Array {
  const values: unknown[] = Array.isArray(data) ? data.flat(7) : [];
  if (!values.every((value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255))
    throw new CraneError('E_HTTP_REQUEST', 'PIXELS holds something else than whole numbers from 0 to 255');
  return Uint8Array.from(values as number[]);
}

/** Each once: an answer holds every map anew for every time that it is named. */
function outputsOf(outputs: unknown): InferRequest['outputs'] {
  if (outputs === undefined) return undefined;
  if (!Array.isArray(outputs)) throw new CraneError('E_HTTP_REQUEST', 'outputs is no list');
  const named = new Set<OutputName>();
  return outputs.map((entry: unknown, index) => {
    const where = `outputs[${index}]`;
    const output = objectOr(entry ?? null, where);
    const { name } = output;
    if (!outputNames.includes(name as OutputName)) {
      throw new CraneError('E_HTTP_REQUEST', `${where}: there is no such output`, {
        hint: `there are ${outputNames.join(', ')}`,
      });
    }
    if (named.has(name as OutputName))
      throw new CraneError('E_HTTP_REQUEST', `the output "${name as OutputName}" is named twice`);
    named.add(name as OutputName);
    const isBinary = flagOr(parameterOf(output, where, 'binary_data'), `${where}: binary_data`);
    return { name: name as OutputName, isBinary };
  });
}
