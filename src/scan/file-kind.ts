/** What a file or folder is by its name alone, as a scan has to know it. */
import { pictureKind } from '../images/format.js';

/**
 * picture: of a kind that is read; unread-picture: of a kind that is not; rubbish: what systems and programs leave beside
 * pictures; hidden: a name with a dot before it; other: whatever else
 */
export type NameKind = 'picture' | 'unread-picture' | 'rubbish' | 'hidden' | 'other';

const k_rubbishFiles = new Set([
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  '.ds_store',
  '.localized',
  '.directory',
  'icon\r',
]);

/** `__MACOSX` and `@eaDir` hold a shadow of every picture. */
const k_rubbishFolders = new Set([
  '__macosx',
  '@eadir',
  '#recycle',
  '$recycle.bin',
  'system volume information',
  'lost+found',
  '.ipynb_checkpoints',
]);

export function kindOfFileName(name: string): NameKind {
  const lower = name.toLowerCase();
  if (k_rubbishFiles.has(lower) || name.startsWith('._') || name.startsWith('~$')) return 'rubbish';
  if (name.startsWith('.')) return 'hidden';
  const { kind } = pictureKind(name);
  return kind === 'read' ? 'picture' : kind === 'known' ? 'unread-picture' : 'other';
}

export function kindOfFolderName(name: string): 'folder' | 'rubbish' | 'hidden' {
  if (k_rubbishFolders.has(name.toLowerCase())) return 'rubbish';
  return name.startsWith('.') ? 'hidden' : 'folder';
}

export function hasPictureEnding(name: string): boolean {
  return pictureKind(name).kind === 'read';
}

/** In lower case, without its dot; '' where there is none. */
export function endingOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}
