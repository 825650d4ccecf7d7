/** The pictures that a manifest names, as a command line would: paths are taken from where the command runs. */
import { type ListedPicture, placeOf, shortName } from './listed-picture.js';
import { type OwnChoices, readManifest } from './manifest.js';
import { isRemotePicture, RemotePicture } from './remote-picture.js';

/** In constant memory. @throws CraneError as readManifest */
export async function* manifestPictures(path: string): AsyncGenerator<ListedPicture> {
  for await (const { uri, id, ...own } of readManifest(path)) {
    yield {
      input: isRemotePicture(uri) ? new RemotePicture(uri) : uri,
      name: id ?? shortName(uri),
      place: placeOf(id ?? uri),
      ...(Object.keys(own).length > 0 ? { own } : {}),
    };
  }
}

/** The same text for the same choices. */
export function ownText({ className, prompts, normals }: OwnChoices): string {
  return JSON.stringify([className ?? null, prompts ?? null, normals ?? null]);
}
