/**
 * THE table of errors: every code the product can show, with the exit code of the command line
 * and the status of the HTTP service. Native code throws the same codes (native/core/error.h).
 */

interface ErrorKind {
  /** 1 unexpected, 2 usage, 3 some inputs failed, 4 model or weights, 5 environment, 10 anomalous, 130 interrupted */
  exit: 1 | 2 | 3 | 4 | 5 | 10 | 130;
  http: number;
  what: string;
}

export const errorTable = {
  E_INTERNAL: { exit: 1, http: 500, what: 'a fault in crane-native itself' },
  E_USAGE: { exit: 2, http: 400, what: 'a wrong flag, option or argument' },
  E_EXISTS: { exit: 2, http: 409, what: 'an output exists already and --force was not given' },
  E_IN_USE: { exit: 2, http: 409, what: 'a folder in which another process is at work' },
  E_CANCELLED: { exit: 130, http: 499, what: 'the caller gave the work up' },
  E_DISPOSED: { exit: 1, http: 503, what: 'the engine was disposed' },
  E_QUEUE_FULL: { exit: 1, http: 429, what: 'more calls are under way or waiting than maxQueue allows' },
  E_DEADLINE: { exit: 1, http: 408, what: 'the deadline came before the forward pass' },

  E_INPUTS_FAILED: { exit: 3, http: 400, what: 'some inputs failed; the others are done' },
  E_ANOMALOUS: { exit: 10, http: 422, what: 'pictures are anomalous, and --fail-on-anomaly was given' },
  E_INPUT_NOT_FOUND: { exit: 3, http: 400, what: 'an input does not exist' },
  E_INPUT_PERMISSION: { exit: 3, http: 400, what: 'an input may not be read' },
  E_INPUT_IS_DIRECTORY: { exit: 3, http: 400, what: 'an input is a folder where a picture is needed' },
  E_INPUT_MASK: { exit: 3, http: 400, what: 'an input is the mask of a picture where a picture is needed' },
  E_INPUT_CHANGED: { exit: 3, http: 400, what: 'an input whose content changed while it was needed' },
  E_INPUT_URL: { exit: 3, http: 400, what: 'an input is a URL of a kind that is not read' },
  E_IMAGE_EMPTY: { exit: 3, http: 400, what: 'a picture file of zero bytes' },
  E_IMAGE_DECODE: { exit: 3, http: 400, what: 'not a picture, or a damaged one' },
  E_IMAGE_FORMAT: {
    exit: 3,
    http: 415,
    what: 'a picture of a format, or of a form of it, that is recognised but not read',
  },
  E_IMAGE_TOO_LARGE: {
    exit: 3,
    http: 413,
    what: 'a picture with more pixels, or of more bytes, than the limit',
  },
  E_IMAGE_TOO_SMALL: { exit: 3, http: 400, what: 'a picture with a side below the limit' },
  E_IMAGE_COLOUR: { exit: 3, http: 400, what: 'a picture in a colour space that is not scored (CMYK)' },
  E_IMAGE_ANIMATED: { exit: 3, http: 400, what: 'a picture with several frames or pages' },
  E_IMAGE_NONFINITE: { exit: 3, http: 400, what: 'input values that are NaN or infinite' },
  E_IMAGE_RANGE: {
    exit: 3,
    http: 400,
    what: 'values outside the range that was stated, or of no stated range',
  },
  E_IMAGE_SHAPE: { exit: 3, http: 400, what: 'raw input whose length does not fit its shape' },

  E_MODEL_NOT_FOUND: { exit: 4, http: 500, what: 'no model of that name or path' },
  E_MODEL_JSON: { exit: 4, http: 500, what: 'model.json is not readable or not valid' },
  E_MODEL_CONFIG: { exit: 4, http: 400, what: 'settings that do not fit the weights' },
  E_METHOD: { exit: 4, http: 400, what: 'no such method, or one that does not do what was asked' },
  E_PROMPTS: { exit: 4, http: 400, what: 'a prompt set that does not fit the model' },
  E_NORMALS: {
    exit: 4,
    http: 400,
    what: 'a bank of normal pictures that is damaged, or does not fit the model',
  },
  E_WEIGHTS_NOT_FOUND: { exit: 4, http: 500, what: 'a weight file does not exist' },
  E_WEIGHTS_CONTAINER: { exit: 4, http: 500, what: 'not one of the containers that are read' },
  E_WEIGHTS_TRUNCATED: { exit: 4, http: 500, what: 'a weight file that ends too early' },
  E_WEIGHTS_PICKLE: { exit: 4, http: 500, what: 'a pickle with anything but tensors in it' },
  E_WEIGHTS_NAMING: { exit: 4, http: 500, what: 'tensor names of no known family' },
  E_WEIGHTS_MISSING: { exit: 4, http: 500, what: 'a tensor is missing' },
  E_WEIGHTS_EXTRA: { exit: 4, http: 500, what: 'a tensor nobody asked for' },
  E_WEIGHTS_SHAPE: { exit: 4, http: 500, what: 'a tensor of another shape than expected' },
  E_WEIGHTS_DTYPE: { exit: 4, http: 500, what: 'a tensor of a type that is not read' },
  E_WEIGHTS_NONFINITE: { exit: 4, http: 500, what: 'a tensor with NaN or infinity in it' },
  E_WEIGHTS_HASH: { exit: 4, http: 500, what: 'a file whose sha256 is not the expected one' },
  E_TRAIN_FEATURES: { exit: 5, http: 500, what: 'a file of the feature cache that cannot be used' },
  E_TEST_RESUME: { exit: 2, http: 409, what: 'a saved test that other settings, data or weights made' },
  E_TRAIN_RESUME: { exit: 2, http: 409, what: 'a saved training that other settings, data or weights made' },
  E_TRAIN_DIVERGED: {
    exit: 1,
    http: 500,
    what: 'a loss that is not a number any more; the state before it is kept',
  },

  E_TRIALS_FAILED: {
    exit: 3,
    http: 500,
    what: 'some trainings of a grid or of several seeds failed; the others are done',
  },

  E_CALIBRATE_TOO_FEW: { exit: 3, http: 400, what: 'too few normal pictures for the false-alarm rate' },
  E_SCORES_EQUAL: { exit: 3, http: 400, what: 'pictures that all have the same score; results are kept' },
  E_CALIBRATE_SCORES: { exit: 3, http: 400, what: 'scores that no threshold can part' },
  E_CALIBRATION: { exit: 4, http: 500, what: 'a stored calibration that is damaged' },

  E_DATA_NOT_FOUND: { exit: 3, http: 400, what: 'a data set, or a file that it names, does not exist' },
  E_DATA_LAYOUT: { exit: 2, http: 400, what: 'folders of no known layout, or of several' },
  E_DATA_LABELS: { exit: 2, http: 400, what: 'folders of which nobody knows whether they are normal' },
  E_DATA_ANNOTATIONS: { exit: 3, http: 400, what: 'annotations that cannot become masks' },
  E_DATA_META: { exit: 3, http: 400, what: 'an index of a data set that is not valid' },
  E_DATA_PATH: { exit: 3, http: 400, what: 'a path that leads out of its data set' },
  E_DATA_EMPTY: { exit: 3, http: 400, what: 'a data set without pictures' },
  E_DATA_ONE_CLASS: { exit: 3, http: 400, what: 'pictures that are all normal, or all anomalous' },
  E_DATA_EQUAL: { exit: 3, http: 400, what: 'pictures to learn from that all have the same content' },
  E_DATA_MASK_SIZE: { exit: 3, http: 400, what: 'a mask of another size than its picture' },
  E_DATA_MASK_VALUES: {
    exit: 3,
    http: 400,
    what: 'values of label maps that no mask has, or that cannot be told apart',
  },
  E_DATA_FAULTS: { exit: 3, http: 400, what: 'a data set in which `data check` found faults' },

  E_SHARDS: {
    exit: 3,
    http: 400,
    what: 'shards of which one is missing, double, damaged or of other settings',
  },

  E_QUEUE: { exit: 5, http: 503, what: 'the server of the queue cannot be reached' },

  E_BENCH_PEER: { exit: 3, http: 400, what: 'a peer of bench that could not be measured; the others were' },

  E_SERVICE_CONFIG: { exit: 2, http: 500, what: 'a configuration of the service that is not valid' },
  E_SERVICE_DOWN: {
    exit: 1,
    http: 503,
    what: 'the engine of the service ended or does not run yet; try again later',
  },
  E_HTTP_NOT_FOUND: { exit: 2, http: 404, what: 'no such address, or nothing of that name in the service' },
  E_HTTP_METHOD: { exit: 2, http: 405, what: 'a method that the address does not take' },
  E_HTTP_REQUEST: { exit: 2, http: 400, what: 'a request whose body or head is not well formed' },
  E_HTTP_TYPE: { exit: 2, http: 415, what: 'a body of a type that the address does not take' },
  E_HTTP_ACCEPT: { exit: 2, http: 406, what: 'no answer of the kinds that were asked for' },
  E_HTTP_TOO_LARGE: { exit: 2, http: 413, what: 'a request above the limits of the service' },
  E_HTTP_TIMEOUT: { exit: 2, http: 408, what: 'a request that did not come in time' },
  E_HTTP_WAITED: { exit: 1, http: 504, what: 'a picture waited as long as the service lets one wait' },
  E_HTTP_TOKEN: { exit: 2, http: 401, what: 'no access token, or none that is known' },
  E_HTTP_RIGHT: {
    exit: 2,
    http: 403,
    what: 'something that the token does not allow, or that nobody may do here',
  },
  E_HTTP_QUOTA: { exit: 2, http: 409, what: 'the service keeps as much for its clients as it may' },
  E_HTTP_FOREIGN: { exit: 2, http: 403, what: 'a request that another web site made a browser send' },

  E_DOWNLOAD: { exit: 5, http: 502, what: 'a download that failed' },
  E_LIBTORCH_NOT_FOUND: { exit: 5, http: 500, what: 'libtorch could not be found or fetched' },
  E_LIBTORCH_VERSION: { exit: 5, http: 500, what: 'libtorch of another version than the pinned one' },
  E_LIBTORCH_LOAD: { exit: 5, http: 500, what: 'libtorch is there but cannot be loaded' },
  E_ADDON_NOT_BUILT: { exit: 5, http: 500, what: 'the native engine was not built' },
  E_ADDON_LOAD: { exit: 5, http: 500, what: 'the native engine cannot be loaded' },
  E_DEPENDENCY: { exit: 5, http: 500, what: 'a package that this use needs is not installed' },
  E_BUILD_TOOLS: { exit: 5, http: 500, what: 'a tool needed for building is missing' },
  E_BUILD: { exit: 5, http: 500, what: 'building the native engine failed' },
  E_DEVICE: { exit: 5, http: 500, what: 'the wanted device is not there' },
  E_MEMORY: { exit: 5, http: 503, what: 'not enough memory' },
  E_TEXT_ENCODING: { exit: 3, http: 400, what: 'a text file whose characters are neither UTF-8 nor UTF-16' },
  E_FILE_CHANGED: { exit: 5, http: 500, what: 'a bank or weights that were written to while in use' },
  E_IO_READ: { exit: 5, http: 500, what: 'a file cannot be read' },
  E_IO_WRITE: { exit: 5, http: 507, what: 'a file cannot be written' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

export interface CraneErrorOptions {
  hint?: string | undefined;
  cause?: unknown;
}

/** The one error of the library. `code` is stable, `hint` says what to do next. */
export class CraneError extends Error {
  override readonly name = 'CraneError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: CraneErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  get exitCode(): number {
    return errorTable[this.code].exit;
  }

  toJSON(): { code: ErrorCode; message: string; hint?: string } {
    return { code: this.code, message: this.message, ...(this.hint ? { hint: this.hint } : {}) };
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorTable, value);
}

const k_noMemory = /^(?:Array buffer allocation failed|Invalid (?:typed array|array buffer) length)/;

/** Turns whatever was thrown into a CraneError; native errors carry `code` and `hint` as properties. */
export function toCraneError(thrown: unknown): CraneError {
  if (thrown instanceof CraneError) return thrown;
  if (thrown instanceof Error) {
    const { code, hint } = thrown as Error & { code?: unknown; hint?: unknown };
    // What a call of the addon throws that gives its answer at once (what the C++ library calls memory that it did not get).
    // Of an array that is too large JavaScript says it in these ways.
    if (
      thrown.message === 'std::bad_alloc' ||
      (thrown instanceof RangeError && k_noMemory.test(thrown.message))
    )
      return new CraneError('E_MEMORY', 'the machine has not enough memory for this', { cause: thrown });
    return new CraneError(isErrorCode(code) ? code : 'E_INTERNAL', thrown.message, {
      hint: typeof hint === 'string' && hint !== '' ? hint : undefined,
      cause: thrown,
    });
  }
  return new CraneError('E_INTERNAL', String(thrown));
}
