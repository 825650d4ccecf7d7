/**
 * The files of one project in a Python package index: the simple API as JSON (PEP 691), or as HTML (PEP 503)
 * from servers that know only that.
 */
import { z } from 'zod';
import { shownAddress } from '../terminal/shown-address.js';
import { type HttpClient, httpUrl, readText } from './http-client.js';

export interface IndexFile {
  filename: string;
  url: string;
  sha256: string | undefined;
  size: number | undefined;
  yanked: boolean;
}

const accepted =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

export interface ProjectFiles {
  files: IndexFile[];
  /** entries of the page that name no file, or none that could be kept under its name: they are left out */
  leftOut: number;
}

/** Throws HttpError (404: the index does not have the project), Error for what is no such page. */
export async function projectFiles(
  client: HttpClient,
  index: string,
  project: string,
): Promise<ProjectFiles> {
  const page = httpUrl(index);
  if (!page) throw new Error(`${shownAddress(index)}: not an http address`);
  page.pathname = `${page.pathname.replace(/\/+$/, '')}/${normalizedName(project)}/`;
  const answer = await client.get(page.href, { accept: accepted });
  const text = await readText(answer);
  const isJson = (answer.headers['content-type'] ?? '').includes('json');
  const entries = isJson ? fromJson(text, answer.url) : fromHtml(text, answer.url);
  const files = entries.filter((entry) => entry !== undefined);
  return {
    files: files.map((file) => ({ ...file, url: withCredentials(file.url, page) })),
    leftOut: entries.length - files.length,
  };
}

/** PEP 503: runs of '-', '_' and '.' are one '-'. */
export function normalizedName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** A mirror that wants a password for its pages wants it for the files it serves itself, too. */
function withCredentials(url: string, page: URL): string {
  const file = new URL(url);
  if (page.username && file.host === page.host && !file.username) {
    file.username = page.username;
    file.password = page.password;
  }
  return file.href;
}

/** What a file may be called where it is kept: no separator of folders, of any system. */
const filename = z.string().regex(/^[\w.+!-]+$/);
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i)
  .toLowerCase();

const jsonPage = z.object({ files: z.array(z.unknown()) });
const jsonFile = z.object({
  filename,
  url: z.string(),
  hashes: z.object({ sha256: sha256.optional() }).nullish(),
  size: z.int().nonnegative().nullish(),
  yanked: z.union([z.boolean(), z.string()]).nullish(),
});

/** Of each entry its file, or undefined. */
function fromJson(text: string, base: string): (IndexFile | undefined)[] {
  return filesOfPage(text, base).map((entry) => {
    const file = jsonFile.safeParse(entry).data;
    const url = file && httpUrl(file.url, base);
    if (!url) return undefined;
    return {
      filename: file.filename,
      url: url.href,
      sha256: file.hashes?.sha256,
      size: file.size ?? undefined,
      yanked: (file.yanked ?? false) !== false,
    };
  });
}

function filesOfPage(text: string, address: string): unknown[] {
  try {
    return jsonPage.parse(JSON.parse(text)).files;
  } catch (cause) {
    throw new Error(`${shownAddress(address)}: not the page of a package index`, { cause });
  }
}

/** Of each link its file, or undefined. */
function fromHtml(text: string, base: string): (IndexFile | undefined)[] {
  return [...text.matchAll(/<a\s([^<>]*)>/gi)].flatMap(([, attributes = '']) => {
    const href = /href\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes);
    return href ? [fromLink(decodeEntities(href[1] ?? href[2] ?? ''), base, attributes)] : [];
  });
}

function fromLink(href: string, base: string, attributes: string): IndexFile | undefined {
  const url = httpUrl(href, base);
  const name = filename.safeParse(url && lastOf(url)).data;
  const sum = sha256.optional().safeParse(/[#&]sha256=([^&]*)/i.exec(url?.hash ?? '')?.[1]);
  if (!url || name === undefined || !sum.success) return undefined;
  url.hash = '';
  return {
    filename: name,
    url: url.href,
    sha256: sum.data,
    size: undefined,
    yanked: /data-yanked/i.test(attributes),
  };
}

function lastOf({ pathname }: URL): string | undefined {
  try {
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
  } catch {
    return undefined;
  }
}

function decodeEntities(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
