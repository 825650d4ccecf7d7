/** Access tokens: read from the operator's file, compared in constant time, exchanged while the service runs. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CraneError } from '../errors.js';

const k_minLength = 16;

/** Digests under a key of this process: what is compared has one length, and a dump of memory shows no token. */
const k_key = randomBytes(32);
const digest = (token: string) => createHmac('sha256', k_key).update(token).digest();

export class AccessTokens {
  readonly #path: string;
  #digests: Buffer[] = [];

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws CraneError E_IO_READ, E_SERVICE_CONFIG */
  static async read(path: string): Promise<AccessTokens> {
    const tokens = new AccessTokens(path);
    await tokens.readAgain();
    return tokens;
  }

  get count(): number {
    return this.#digests.length;
  }

  /** A file that is not good leaves the tokens as they were. @throws CraneError E_IO_READ, E_SERVICE_CONFIG */
  async readAgain(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch((cause: unknown) => {
      throw new CraneError('E_IO_READ', `${this.#path}: the file of tokens cannot be read`, { cause });
    });
    const digests: Buffer[] = [];
    for (const [at, line] of text.split(/\r?\n/).entries()) {
      const token = line.trim();
      if (token === '' || token.startsWith('#')) continue;
      if (!/^[\x21-\x7e]+$/.test(token) || token.length < k_minLength) {
        throw new CraneError(
          'E_SERVICE_CONFIG',
          `${this.#path}:${at + 1}: no token: at least ${k_minLength} letters, digits and signs without spaces`,
          { hint: 'make one: openssl rand -hex 32' },
        );
      }
      digests.push(digest(token));
    }
    if (digests.length === 0)
      throw new CraneError('E_SERVICE_CONFIG', `${this.#path}: there is no token in it`, {
        hint: 'make one: openssl rand -hex 32',
      });
    this.#digests = digests;
  }

  /** Takes the same time for every token, known or not: all are compared. */
  has(token: string): boolean {
    const given = digest(token);
    let isKnown = false;
    for (const known of this.#digests) isKnown = timingSafeEqual(given, known) || isKnown;
    return isKnown;
  }
}

/** Of `Authorization: Bearer TOKEN`. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? '')?.[1];
}
