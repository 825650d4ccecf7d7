/** The operator's certificate: read and tried before anything is started, and read again when it was renewed. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { CraneError } from '../errors.js';
import type { ServiceSettings } from './settings.js';

export interface Certificate {
  cert: Buffer;
  key: Buffer;
}

/** @returns undefined where the operator names none. @throws CraneError E_IO_READ, E_SERVICE_CONFIG */
export async function readCertificate({
  tlsCert,
  tlsKey,
}: Pick<ServiceSettings, 'tlsCert' | 'tlsKey'>): Promise<Certificate | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const [cert, key] = await Promise.all([read(tlsCert, 'certificate'), read(tlsKey, 'private key')]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new CraneError(
      'E_SERVICE_CONFIG',
      `${tlsCert}, ${tlsKey}: no certificate with its private key (${(cause as Error).message})`,
      {
        hint: 'both are files in PEM; the certificate stands first in its chain, and the key has no passphrase',
        cause,
      },
    );
  }
  return { cert, key };
}

async function read(path: string, what: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new CraneError('E_IO_READ', `${path}: the ${what} cannot be read`, { cause });
  });
}
