/** What clients add, by name, in the OpenAPI document. */
import type { ErrorCode } from '../../errors.js';
import type { Schema } from '../../options/kinds.js';
import { k_keptName } from '../kept/kept-folder.js';
import { calibrateNames, learnNames } from '../requests/request-options.js';
import {
  get,
  inPath,
  json,
  k_scoring,
  labelledBodies,
  pictureBodies,
  queryParameters,
  ref,
  responses,
} from './parts.js';

const k_named: readonly ErrorCode[] = ['E_HTTP_NOT_FOUND', 'E_HTTP_RIGHT'];
const name: Schema = { type: 'string', pattern: k_keptName.source };

export function keptPaths(): Record<string, object> {
  return {
    '/v1/normals': {
      ...get('banks of normal pictures, and how much may be kept: null where nothing is', ref('Banks')),
      post: {
        summary: 'make a bank of normal pictures, and keep it under a name; the right to write',
        parameters: [
          { name: 'name', in: 'query', required: false, description: 'of the bank', schema: name },
          ...queryParameters(learnNames),
        ],
        requestBody: { required: true, content: pictureBodies(learnNames, { name }) },
        responses: responses(
          {
            description: 'the bank, which is kept',
            headers: { Location: { description: 'of the bank', schema: { type: 'string' } } },
            content: json(ref('Bank')),
          },
          { errors: [...k_scoring, 'E_HTTP_RIGHT', 'E_HTTP_QUOTA', 'E_IO_WRITE'], status: 201 },
        ),
      },
    },
    '/v1/calibrations': {
      ...get('thresholds that clients chose by labelled pictures', ref('Calibrations')),
      post: {
        summary: 'choose thresholds by labelled pictures, and keep them under a name; the right to write',
        parameters: [
          { name: 'name', in: 'query', required: false, description: 'of the calibration', schema: name },
          ...queryParameters(calibrateNames),
        ],
        requestBody: { required: true, content: labelledBodies(calibrateNames, { name }) },
        responses: responses(
          {
            description: 'the calibration, which is kept',
            headers: { Location: { description: 'of the calibration', schema: { type: 'string' } } },
            content: json(ref('Calibration')),
          },
          { errors: [...k_scoring, 'E_HTTP_RIGHT', 'E_HTTP_QUOTA', 'E_IO_WRITE'], status: 201 },
        ),
      },
    },
    '/v1/calibrations/{name}': {
      ...get('a calibration', ref('Calibration'), { errors: k_named }, [inPath('name')]),
      delete: {
        summary: 'remove a calibration; the right to write',
        parameters: [inPath('name')],
        responses: responses(
          { description: 'it is gone' },
          { errors: [...k_named, 'E_IO_WRITE'], status: 204 },
        ),
      },
    },
    '/v1/normals/{name}': {
      ...get('a bank with its pictures', ref('Bank'), { errors: k_named }, [inPath('name')]),
      delete: {
        summary: 'remove a bank; the right to write',
        parameters: [inPath('name')],
        responses: responses(
          { description: 'it is gone' },
          { errors: [...k_named, 'E_IO_WRITE'], status: 204 },
        ),
      },
    },
  };
}
