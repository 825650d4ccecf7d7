/** What lies at an address: of an S3 server, or by HTTP. */
import { CraneError } from '../errors.js';
import { announcedBytes, HttpClient, HttpError } from '../net/http-client.js';
import { networkRetries, withRetries } from '../net/retry.js';
import { k_mostHeld, wholeBody } from '../net/whole-body.js';
import { readS3Object } from '../stores/s3-store.js';
import { shownAddress } from '../terminal/shown-address.js';

/** What lies at an address, whole. @throws CraneError as RemotePicture */
export function bytesAt(address: string): Promise<Uint8Array<ArrayBuffer>> {
  return /^s3:/i.test(address) ? readS3Object(address, () => tooLarge(address)) : fetchBytes(address);
}

async function fetchBytes(address: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!URL.canParse(address)) throw new CraneError('E_INPUT_URL', `${shownAddress(address)}: not a URL`);
  const client = new HttpClient();
  try {
    return await withRetries(
      networkRetries,
      () => {},
      async () => {
        const answer = await client.get(address);
        return wholeBody(answer.body, {
          announced: announcedBytes(answer),
          tooLarge: () => tooLarge(address),
        });
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
    throw new CraneError(code, `${shownAddress(address)}: ${(cause as Error).message}`, { cause });
  } finally {
    await client.close();
  }
}

function tooLarge(address: string): CraneError {
  return new CraneError(
    'E_IMAGE_TOO_LARGE',
    `${shownAddress(address)}: more than the ${k_mostHeld} bytes that are read of one file`,
    {
      hint: 'a larger one is scored as a file on a disk',
    },
  );
}
