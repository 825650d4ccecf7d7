// The licence texts of what npm installs with a package, as one file; imported by make-sbom.mjs, pack-engine.mjs and tests.
// Each part's own file where it is installed here. What is installed on some platforms only has the text of `kept`, so
// that the file is the same wherever it is made.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const k_text = /^(?:licen[cs]es?|copying|unlicense)(?:[-.]\w+)*$/i;
const k_notice = /^notice(?:\.\w+)?$/i;

/** Of parts without a file of their own: what it says instead, first who holds the rights, then files of scripts/licences. */
const kept = [
  {
    is: ({ name }) => name === '@bokuweb/zstd-wasm',
    notice: 'Copyright (c) bokuweb; MIT License. Its zstd.wasm is Zstandard, under the BSD License.',
    files: ['MIT.txt', 'zstd.txt'],
  },
  {
    is: ({ name }) => name === 'abstract-logging',
    notice: 'Copyright (c) James Sumners; MIT License.',
    files: ['MIT.txt'],
  },
  { is: ({ name }) => name === '@emnapi/runtime', files: ['emnapi.txt'] },
  {
    // libvips and what is linked into it; sharp for WebAssembly and Windows contains it too.
    is: ({ name, licence }) => name.startsWith('@img/sharp-') && /LGPL/.test(licence),
    notice:
      'Copyright (c) the authors of libvips, of sharp (Lovell Fuller and others) and of the libraries in the list.',
    files: ['libvips.txt', '../../node_modules/sharp/LICENSE', 'LGPL-3.0.txt', 'GPL-3.0.txt'],
  },
  {
    is: ({ name, licence }) => name.startsWith('@img/sharp-') && licence === 'Apache-2.0',
    notice: 'Copyright 2013 Lovell Fuller and others.',
    files: ['../../node_modules/sharp/LICENSE'],
  },
];

/**
 * @param root the repository, installed by npm
 * @param parts of installedParts
 * @returns the file's text; the same for the same packages
 * @throws where a part has no text, naming it
 */
export function licenceTexts(root, parts) {
  const folder = join(root, 'scripts', 'licences');
  const read = (path) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n').trim();
  /** from a text to the parts that are under it */
  const byText = new Map();
  const lacking = [];
  for (const part of parts) {
    const text = part.isForPlatform ? undefined : ownText(root, part, read);
    const row = kept.find(({ is }) => is(part));
    if (!text && !row) {
      lacking.push(part.id);
      continue;
    }
    const told =
      text ?? [row.notice, ...row.files.map((file) => read(join(folder, file)))].filter(Boolean).join('\n\n');
    byText.set(told, [...(byText.get(told) ?? []), `${part.id} (${part.licence})`]);
  }
  if (lacking.length > 0)
    throw new Error(
      `no licence text of ${lacking.join(', ')}: is it installed (npm ci)? Else scripts/licence-texts.mjs names the text`,
    );
  const line = '='.repeat(100);
  const head = [
    'Licence texts of what npm installs with this package. Of what is in the package itself, of libtorch and of what is only',
    'asked for where it is wanted: THIRD_PARTY.md. Of its model and sample pictures: the files beside them in models/.',
  ];
  const sections = [...byText].map(([text, ids]) => [line, ...ids, line, '', text, ''].join('\n'));
  return `${head.join('\n')}\n\n${sections.join('\n')}`;
}

/** The files of the part's own folder, or undefined where it has none that says its licence. */
function ownText(root, { paths }, read) {
  const folder = paths.map((path) => join(root, path)).find((path) => existsSync(path));
  if (!folder) return undefined;
  const files = readdirSync(folder).sort();
  const texts = files.filter((file) => k_text.test(file));
  if (texts.length === 0) return undefined;
  return [...texts, ...files.filter((file) => k_notice.test(file))]
    .map((file) => read(join(folder, file)))
    .join('\n\n');
}
