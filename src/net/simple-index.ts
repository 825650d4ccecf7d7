/**
 * The files of one project in a Python package index: the simple API as JSON (PEP 691), or as HTML (PEP 503)
 * from servers that know only that.
 */
import { type HttpClient, readText } from './http-client.js';

export interface IndexFile {
  filename: string;
  url: string;
  sha256: string | undefined;
  size: number | undefined;
  yanked: boolean;
}

const accepted =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

/** Throws HttpError (404: the index does not have the project). */
export async function projectFiles(client: HttpClient, index: string, project: string): Promise<IndexFile[]> {
  const page = new URL(index);
  page.pathname = `${page.pathname.replace(/\/+$/, '')}/${normalizedName(project)}/`;
  const answer = await client.get(page.href, { accept: accepted });
  const text = await readText(answer);
  const isJson = (answer.headers['content-type'] ?? '').includes('json');
  const files = isJson ? fromJson(text, answer.url) : fromHtml(text, answer.url);
  return files.map((file) => ({ ...file, url: withCredentials(file.url, page) }));
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

function fromJson(text: string, base: string): IndexFile[] {
  const page = JSON.parse(text) as {
    files?: {
      filename: string;
      url: string;
      hashes?: Record<string, string>;
      size?: number;
      yanked?: boolean | string;
    }[];
  };
  return (page.files ?? []).map((file) => ({
    filename: file.filename,
    url: new URL(file.url, base).href,
    sha256: file.hashes?.['sha256']?.toLowerCase(),
    size: file.size,
    yanked: file.yanked !== undefined && file.yanked !== false,
  }));
}

function fromHtml(text: string, base: string): IndexFile[] {
  return [...text.matchAll(/<a\s([^>]*)>/gi)].flatMap(([, attributes = '']) => {
    const href = /href\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes);
    if (!href) return [];
    const link = namedLink(decodeEntities(href[1] ?? href[2] ?? ''), base);
    if (!link) return [];
    const { url, filename } = link;
    const sha256 = /sha256=([0-9a-f]{64})/i.exec(url.hash)?.[1]?.toLowerCase();
    url.hash = '';
    return [{ filename, url: url.href, sha256, size: undefined, yanked: /data-yanked/i.test(attributes) }];
  });
}

/** A link that is not well formed leads to no file, and takes nothing from the others of its page. */
function namedLink(href: string, base: string): { url: URL; filename: string } | undefined {
  try {
    const url = new URL(href, base);
    return { url, filename: decodeURIComponent(url.pathname.split('/').at(-1) ?? '') };
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
