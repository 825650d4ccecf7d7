/** Access tokens: read from the operator's file, compared in constant time, exchanged while the service runs. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CraneError } from '../errors.js';

const k_minLength = 16;

/** What stands behind a token in its line. Every token may ask; only one with `write` adds and deletes what is kept. */
const k_rights = ['write'] as const;
export type Right = (typeof k_rights)[number];

interface KnownToken {
  digest: Buffer;
  rights: ReadonlySet<Right>;
}

/** Digests under a key of this process: what is compared has one length, and a dump of memory shows no token. */
const k_key = randomBytes(32);
const digestOf = (token: string) => createHmac('sha256', k_key).update(token).digest();

export class AccessTokens {
  readonly #path: string;
  #tokens: KnownToken[] = [];

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
    return this.#tokens.length;
  }

  /** A file that is not good leaves the tokens as they were. @throws CraneError E_IO_READ, E_SERVICE_CONFIG */
  async readAgain(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch((cause: unknown) => {
      throw new CraneError('E_IO_READ', `${this.#path}: the file of tokens cannot be read`, { cause });
    });
    const tokens: KnownToken[] = [];
    for (const [at, line] of text.split(/\r?\n/).entries()) {
      const [token = '', ...rights] = line.trim().split(/\s+/);
      if (token === '' || token.startsWith('#')) continue;
      if (!/^[\x21-\x7e]+$/.test(token) || token.length < k_minLength) {
        throw new CraneError(
          'E_SERVICE_CONFIG',
          `${this.#path}:${at + 1}: no token: at least ${k_minLength} letters, digits and signs without spaces`,
          { hint: 'make one: openssl rand -hex 32' },
        );
      }
      const strange = rights.find((right) => !(k_rights as readonly string[]).includes(right));
      // A part of a token may stand here: it is not shown.
      if (strange !== undefined) {
        throw new CraneError(
          'E_SERVICE_CONFIG',
          `${this.#path}:${at + 1}: behind the token stands what is no right`,
          { hint: `rights are words after a space: ${k_rights.join(', ')}` },
        );
      }
      tokens.push({ digest: digestOf(token), rights: new Set(rights as Right[]) });
    }
    if (tokens.length === 0)
      throw new CraneError('E_SERVICE_CONFIG', `${this.#path}: there is no token in it`, {
        hint: 'make one: openssl rand -hex 32',
      });
    this.#tokens = tokens;
  }

  /**
   * Takes the same time for every token, known or not: all are compared. @returns undefined for one that is not known; of
   * one that stands in several lines the rights of all
   */
  rightsOf(token: string): ReadonlySet<Right> | undefined {
    const given = digestOf(token);
    const found = this.#tokens.filter((known) => timingSafeEqual(given, known.digest));
    return found.length === 0 ? undefined : new Set(found.flatMap(({ rights }) => [...rights]));
  }
}

/** Of `Authorization: Bearer TOKEN`. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? '')?.[1];
}
