/** The part of THE table that belongs to the HTTP service alone: what its operator says, and what a request may ask for. */
import { choice, flag, int, type OptionSpec, text } from './kinds.js';
import type { RequestOptions, ServeOptions } from './types.js';

const serve = ['serve'] as const;

export const serveOptions = {
  heatmap: flag({
    group: 'Picture',
    scope: ['library', 'http'],
    calls: ['score', 'scoreMany'],
    default: false,
    help: 'return the picture with its map laid over it: of the library a file, of HTTP a PNG in base64',
  }),
  calibration: text({
    group: 'Picture',
    scope: ['http'],
    defaultText: 'none',
    help: 'name of a calibration that the service keeps: its options and thresholds',
  }),
  config: text({
    group: 'Service',
    scope: serve,
    defaultText: 'none',
    help: 'configuration file (YAML or JSON): models and prompt sets by name, and any of these options',
  }),
  host: text({
    group: 'Service',
    scope: serve,
    default: '127.0.0.1',
    help: 'address to listen on; one that others reach needs tokenFile or insecure',
  }),
  port: int({
    group: 'Service',
    scope: serve,
    min: 0,
    max: 65_535,
    default: 8077,
    help: 'port to listen on; 0: any free one',
  }),
  tokenFile: text({
    group: 'Service',
    scope: serve,
    defaultText: 'none',
    help: 'file of access tokens, one a line, with their rights; read again on SIGHUP',
  }),
  dataFolder: text({
    group: 'Service',
    scope: serve,
    defaultText: 'none: clients keep nothing',
    help: 'folder where the service keeps the banks of normal pictures that clients add',
  }),
  maxBanks: int({
    group: 'Service',
    scope: serve,
    min: 0,
    max: 100_000,
    default: 100,
    help: 'banks of normal pictures in dataFolder',
  }),
  maxCalibrations: int({
    group: 'Service',
    scope: serve,
    min: 0,
    max: 100_000,
    default: 1000,
    help: 'calibrations in dataFolder',
  }),
  maxBankBytes: int({
    group: 'Service',
    scope: serve,
    min: 0,
    default: 8 * 2 ** 30,
    help: 'bytes of all banks in dataFolder',
  }),
  maxBankPictures: int({
    group: 'Service',
    scope: serve,
    min: 1,
    max: 4096,
    default: 64,
    help: 'normal pictures of a bank in dataFolder',
  }),
  insecure: flag({
    group: 'Service',
    scope: serve,
    default: false,
    help: 'let everybody in who reaches the address',
  }),
  tlsCert: text({
    group: 'Service',
    scope: serve,
    defaultText: 'none',
    help: 'certificate chain (PEM) for TLS, with tlsKey',
  }),
  tlsKey: text({
    group: 'Service',
    scope: serve,
    defaultText: 'none',
    help: 'private key (PEM) for TLS, with tlsCert',
  }),
  maxBody: int({
    group: 'Service',
    scope: serve,
    min: 1024,
    max: 2 ** 31 - 1,
    default: 64 * 2 ** 20,
    help: 'bytes of a request; more are refused while they come',
  }),
  maxJsonBody: int({
    group: 'Service',
    scope: serve,
    min: 1024,
    max: 2 ** 31 - 1,
    default: 8 * 2 ** 20,
    help: 'bytes of JSON in a request: it is read in one go, while nobody else is answered',
  }),
  maxFiles: int({
    group: 'Service',
    scope: serve,
    min: 1,
    max: 4096,
    default: 64,
    help: 'pictures of a request',
  }),
  maxHeldBytes: int({
    group: 'Service',
    scope: serve,
    min: 1024,
    default: 512 * 2 ** 20,
    help: 'bytes of all requests held at once; one more is told to come again',
  }),
  requestTimeoutMs: int({
    group: 'Service',
    scope: serve,
    min: 100,
    max: 3_600_000,
    default: 60_000,
    help: 'milliseconds in which a request must have come, and in which its pictures must have begun',
  }),
  drainMs: int({
    group: 'Service',
    scope: serve,
    min: 0,
    max: 3_600_000,
    default: 20_000,
    help: 'milliseconds that accepted requests have to end once the service is told to stop',
  }),
  logLevel: choice(['debug', 'info', 'warn', 'error', 'silent'], {
    group: 'Service',
    scope: serve,
    default: 'info',
    help: 'what is logged, as JSON lines on stderr',
  }),
} satisfies {
  readonly [K in keyof (ServeOptions & RequestOptions)]: OptionSpec<(ServeOptions & RequestOptions)[K]>;
};
