/**
 * Objects in a bucket of an S3 server: AWS, or any that speaks its protocol. Credentials, region and endpoint come from where AWS'
 * own tools take them (AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT_URL, ~/.aws, a machine's role).
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import { streamWhole } from '../files/stream-whole.js';
import { k_mostHeld, wholeBody } from '../net/whole-body.js';
import { shownAddress } from '../terminal/shown-address.js';
import type { Store, StoredObject } from './store.js';

type S3 = typeof import('@aws-sdk/client-s3');

/** With a pause that grows and is partly chance ("full jitter"), by the client itself. */
const k_attempts = 6;
/** An object above it is written in parts; memory: parts at once times this. */
const k_partBytes = 8 * 2 ** 20;

const k_packages = ['@aws-sdk/client-s3', '@aws-sdk/lib-storage'];

/** One client for each process: it keeps connections. */
let client: Promise<{ s3: S3; sender: InstanceType<S3['S3Client']> }> | undefined;

function connect() {
  client ??= loadOptional('reading and writing s3://', k_packages, async () => {
    const s3 = await import('@aws-sdk/client-s3');
    const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
    const sender = new s3.S3Client({
      maxAttempts: k_attempts,
      region: process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
      // Other servers than AWS have no host name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    });
    return { s3, sender };
  });
  client.catch(() => {
    client = undefined;
  });
  return client;
}

/** @throws CraneError E_USAGE for no bucket's address, E_DEPENDENCY */
export async function openS3Store(address: string): Promise<Store> {
  const { bucket, key } = partsOf(address);
  const { s3, sender } = await connect();
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  return new S3Store(address, s3, sender, bucket, prefix);
}

export interface S3Address {
  bucket: string;
  /** may be empty */
  key: string;
}

/** @throws CraneError E_USAGE */
export function partsOf(address: string): S3Address {
  const [, bucket, key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/is.exec(address) ?? [];
  if (bucket === undefined)
    throw new CraneError('E_USAGE', `${shownAddress(address)}: expected s3://BUCKET/KEY`, {
      hint: 'a bucket has 3 to 63 of a-z, 0-9, . and -',
    });
  return { bucket, key };
}

/** The bytes of one object. @throws CraneError as Store.read, and tooLarge for more than k_mostHeld */
export async function readS3Object(
  address: string,
  tooLarge: () => CraneError,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bucket, key } = partsOf(address);
  const { s3, sender } = await connect();
  return readObject(s3, sender, { Bucket: bucket, Key: key }, { shown: address, tooLarge });
}

async function readObject(
  s3: S3,
  sender: InstanceType<S3['S3Client']>,
  place: { Bucket: string; Key: string },
  { shown, tooLarge }: { shown: string; tooLarge: () => CraneError },
): Promise<Uint8Array<ArrayBuffer>> {
  return withWholeBody(shown, async () => {
    const { Body, ContentLength } = await sender.send(new s3.GetObjectCommand(place));
    return wholeBody(Body as Readable, { announced: ContentLength, tooLarge });
  });
}

/** A connection that is cut in the middle of a body is no matter of the client's own retries. */
async function withWholeBody<T>(shown: string, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (thrown) {
      const error = thrown instanceof CraneError ? thrown : codedS3Error(shown, thrown, 'read');
      if (error.code !== 'E_DOWNLOAD' || attempt === k_attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt));
    }
  }
}

class S3Store implements Store {
  readonly #s3: S3;
  readonly #sender: InstanceType<S3['S3Client']>;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(
    readonly address: string,
    s3: S3,
    sender: InstanceType<S3['S3Client']>,
    bucket: string,
    prefix: string,
  ) {
    this.#s3 = s3;
    this.#sender = sender;
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  read(key: string): Promise<Uint8Array> {
    const shown = this.#shown(key);
    const tooLarge = () =>
      new CraneError('E_IO_READ', `${shown}: more than the ${k_mostHeld} bytes that are read of one object`);
    return readObject(this.#s3, this.#sender, this.#at(key), { shown, tooLarge });
  }

  async write(key: string, data: Uint8Array | string): Promise<void> {
    await this.#put(key, data, {});
  }

  async create(key: string, data: Uint8Array | string): Promise<boolean> {
    try {
      await this.#put(key, data, { IfNoneMatch: '*' });
      return true;
    } catch (thrown) {
      const status = statusOf((thrown as CraneError).cause);
      // 409: another one is creating it at this moment.
      if (status === 412 || (status === 409 && (await this.has(key)))) return false;
      throw thrown;
    }
  }

  async #put(key: string, data: Uint8Array | string, condition: { IfNoneMatch?: '*' }): Promise<void> {
    const Body = typeof data === 'string' ? Buffer.from(data) : data;
    const command = new this.#s3.PutObjectCommand({ ...this.#at(key), Body, ...condition });
    await this.#sender.send(command).catch((cause: unknown) => {
      throw codedS3Error(this.#shown(key), cause, 'write');
    });
  }

  async upload(key: string, path: string): Promise<void> {
    const { Upload } = await import('@aws-sdk/lib-storage');
    const params = { ...this.#at(key), Body: createReadStream(path, { highWaterMark: 2 ** 20 }) };
    try {
      await new Upload({ client: this.#sender, params, partSize: k_partBytes, queueSize: 2 }).done();
    } catch (cause) {
      throw codedS3Error(this.#shown(key), cause, 'write');
    }
  }

  download(key: string, path: string): Promise<void> {
    return withWholeBody(this.#shown(key), () =>
      streamWhole(path, { overwrite: true }, async (stream) => {
        const asked = this.#sender.send(new this.#s3.GetObjectCommand(this.#at(key)));
        const { Body } = await asked.catch((cause: unknown) => {
          throw codedS3Error(this.#shown(key), cause, 'read');
        });
        const body = Body as Readable;
        let fault: Error | undefined;
        body.once('error', (error) => {
          fault = error;
        });
        try {
          for await (const chunk of body) if (!stream.write(chunk)) await once(stream, 'drain');
        } catch (cause) {
          throw fault ? codedS3Error(this.#shown(key), fault, 'read') : cause;
        }
      }),
    );
  }

  async has(key: string): Promise<boolean> {
    try {
      await this.#sender.send(new this.#s3.HeadObjectCommand(this.#at(key)));
      return true;
    } catch (cause) {
      if (statusOf(cause) === 404) return false;
      throw codedS3Error(this.#shown(key), cause, 'read');
    }
  }

  async remove(key: string): Promise<void> {
    await this.#sender.send(new this.#s3.DeleteObjectCommand(this.#at(key))).catch((cause: unknown) => {
      throw codedS3Error(this.#shown(key), cause, 'write');
    });
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const pages = this.#s3.paginateListObjectsV2(
      { client: this.#sender },
      { Bucket: this.#bucket, Prefix: this.#prefix + prefix },
    );
    try {
      for await (const { Contents = [] } of pages)
        for (const { Key, Size } of Contents)
          yield { key: Key!.slice(this.#prefix.length), bytes: Size ?? 0 };
    } catch (cause) {
      throw cause instanceof CraneError ? cause : codedS3Error(this.address, cause, 'read');
    }
  }

  /** The connections are the process' own, shared by all stores. */
  close(): void {}

  #at(key: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #shown(key: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${key}`;
  }
}

function statusOf(thrown: unknown): number | undefined {
  return (thrown as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

function codedS3Error(shown: string, cause: unknown, doing: 'read' | 'write'): CraneError {
  const { name, message } = cause as Error;
  const status = statusOf(cause);
  if (doing === 'read' && status === 404)
    return new CraneError(
      'E_INPUT_NOT_FOUND',
      `${shown}: there is no such ${name === 'NoSuchBucket' ? 'bucket' : 'object'}`,
      { cause },
    );
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return new CraneError(
      doing === 'read' ? 'E_INPUT_PERMISSION' : 'E_IO_WRITE',
      `${shown}: ${name}: not allowed`,
      {
        hint: 'credentials are taken as the AWS tools take them: AWS_ACCESS_KEY_ID, ~/.aws or the role of the machine',
        cause,
      },
    );
  }
  const said = `${shown}: ${name}${message && message !== name ? `: ${message}` : ''}`;
  return new CraneError(doing === 'read' ? 'E_DOWNLOAD' : 'E_IO_WRITE', said, {
    hint: status === undefined ? 'another server than AWS is named by AWS_ENDPOINT_URL' : undefined,
    cause,
  });
}
