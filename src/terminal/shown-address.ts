/** Addresses as messages, logs and results may show them: passwords and signatures stand in them. */
import { visible } from './visible.js';

const k_scheme = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Without name, password, query and fragment, fit for a terminal. What is no address loses all before its last `@`. */
export function shownAddress(address: string): string {
  const text = address.trim();
  const scheme = k_scheme.exec(text)?.[0] ?? '';
  // The keys of a store may hold any of these signs.
  if (/^s3:/i.test(scheme)) return visible(text.replace(/^s3:\/\/[^/]*@/i, scheme));
  if (scheme === '' || isDoubtful(text, scheme) || !URL.canParse(text)) return visible(bare(text, scheme));
  const { protocol, host, pathname, username, password, search, hash } = new URL(text);
  const isPlain = [username, password, search, hash].every((part) => part === '') && !/[?#]/.test(text);
  // As it was given, where nothing is in it that nobody should see.
  return visible(isPlain && !text.includes('@') ? text : `${protocol}//${host}${pathname}`);
}

/** Without name and password alone: what tells one picture from another stays. */
export function withoutLogin(address: string): string {
  const scheme = k_scheme.exec(address)?.[0];
  if (scheme === undefined || /^s3:/i.test(scheme) || !address.includes('@')) return address;
  if (!URL.canParse(address) || isDoubtful(address, scheme)) return shownAddress(address);
  const url = new URL(address);
  if (url.username === '' && url.password === '') return address;
  url.username = '';
  url.password = '';
  return url.href;
}

/**
 * `scheme://x:1234/...@` and `scheme://x@y/...@`: as likely a password with such signs in it as a host and its path. Then all before
 * the last `@` is taken for the password.
 */
function isDoubtful(address: string, scheme: string): boolean {
  const rest = address.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  if (end < 0) return false;
  const [host, after] = [rest.slice(0, end), rest.slice(end)];
  if (host.includes('@')) return after.includes('@');
  return /:\d+$/.test(host) && /^\/[^?#]*@/.test(after);
}

function bare(text: string, scheme: string): string {
  const rest = text.slice(scheme.length);
  return scheme + rest.slice(rest.lastIndexOf('@') + 1).replace(/[?#].*$/s, '');
}
