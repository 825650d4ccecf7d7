/** Commands that people are told to run have to survive being pasted into bash, whatever a file is called. */

/** Nothing here means anything to a shell, wherever it stands but for the first sign. */
const k_plain = /^[\w./%+:,][\w./@%+:,=-]*$/;
/** Controls, line separators, and what turns the direction of a line: written out, so that nothing of it steers a terminal. */
const k_unseen = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** A word as bash takes it. */
export function shellWord(text: string): string {
  if (k_plain.test(text)) return text;
  if (!k_unseen.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const written = Array.from(text, (sign) => {
    if (sign === '\\' || sign === "'") return `\\${sign}`;
    return k_unseen.test(sign) ? Array.from(Buffer.from(sign), inHex).join('') : sign;
  });
  return `$'${written.join('')}'`;
}

/** A path as an argument: one that begins like an option, or like a list of inputs, is led by its folder. */
export function shellPath(path: string): string {
  return shellWord(/^[-@]/.test(path) ? `./${path}` : path);
}

/** An option with its value; one that begins like an option is joined to its name. */
export function shellOption(flag: string, value: string): string {
  return `--${flag}${value.startsWith('-') ? '=' : ' '}${shellWord(value)}`;
}

function inHex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
