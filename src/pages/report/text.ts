/** How figures are written, and why some are missing. */
import { type Html, html } from '../html.js';

/** 0.938 as 93.8 */
export function percent(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? 'n/a' : (100 * value).toFixed(1);
}

/** Enough digits to tell scores apart. */
export function scoreText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1e-3 || value === 0 ? value.toFixed(4) : value.toExponential(2);
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/** Letters behind "n/a", each explained once below the table. */
export class Footnotes {
  readonly #reasons: string[] = [];

  notAvailable(reason: string): Html {
    if (!this.#reasons.includes(reason)) this.#reasons.push(reason);
    return html`<abbr title="${reason}">n/a</abbr><sup>${this.#letter(reason)}</sup>`;
  }

  list(): Html | null {
    if (this.#reasons.length === 0) return null;
    return html`<p class="notes">n/a, a figure that is not defined: ${this.#reasons.map((reason, at) => html`${at > 0 && '; '}<sup>${this.#letter(reason)}</sup> ${reason}`)}.</p>`;
  }

  #letter(reason: string): string {
    return String.fromCharCode(97 + this.#reasons.indexOf(reason));
  }
}
