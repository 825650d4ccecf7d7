/** What lies at an address: of an S3 server, or by HTTP. */
import { CraneError } from '../errors.js';
import { HttpClient, HttpError } from '../net/http-client.js';
import { networkRetries, withRetries } from '../net/retry.js';
import { readS3Object } from '../stores/s3-store.js';

/** What a picture file may have at most, where nobody said its size before. */
const k_maxBytes = 2 ** 30;

/** What lies at an address, whole. @throws CraneError as RemotePicture */
export function bytesAt(address: string): Promise<Uint8Array<ArrayBuffer>> {
  return /^s3:/i.test(address) ? readS3Object(address) : fetchBytes(address);
}

async function fetchBytes(address: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!URL.canParse(address)) throw new CraneError('E_INPUT_URL', `${address}: not a URL`);
  const client = new HttpClient();
  try {
    return await withRetries(
      networkRetries,
      () => {},
      async () => {
        const answer = await client.get(address);
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > k_maxBytes) throw new CraneError('E_IMAGE_TOO_LARGE', `${address}: more than 1 GiB`);
          chunks.push(chunk);
        }
        return Uint8Array.from(Buffer.concat(chunks));
      },
    );
  } catch (cause) {
    if (cause instanceof CraneError) throw cause;
    const status = cause instanceof HttpError ? cause.status : undefined;
    const code =
      status === 404 || status === 410
        ? 'E_INPUT_NOT_FOUND'
        : status === 401 || status === 403
          ? 'E_INPUT_PERMISSION'
          : 'E_DOWNLOAD';
    throw new CraneError(code, `${address}: ${(cause as Error).message}`, { cause });
  } finally {
    await client.close();
  }
}
