/** What a file of annotations says about one picture. */
import { CraneError } from '../../errors.js';
import type { Shape } from './shapes.js';

export interface AnnotatedPicture {
  /** as the file names it: a path below the file's folder or the root, or a name */
  name: string;
  /** the name has no ending: a picture of any kind of file is meant */
  isStem: boolean;
  /** the picture's size as it was when it was annotated */
  size?: { width: number; height: number };
  /** none: somebody looked at it and found nothing */
  shapes: Shape[];
  /** drawn, but without an area (points, lines): the picture is anomalous, and has no mask by them */
  undrawn?: number;
}

export interface Annotations {
  /** for people: labelme, COCO, ... */
  format: string;
  pictures: AnnotatedPicture[];
  /** pictures that nothing names have no anomaly, by the convention of the format */
  othersAreNormal: boolean;
  /** what could not become pixels, one sentence each */
  warnings: string[];
}

/** What a file or a folder of them says. */
export interface FoundAnnotations extends Annotations {
  /** that the pictures' names are meant from */
  folder: string;
  /** texts beside labels of YOLO that are none, without their ending: what their pictures show is not known */
  unread: readonly string[];
}

export function refuseAnnotations(file: string, what: string, cause?: unknown): CraneError {
  return new CraneError('E_DATA_ANNOTATIONS', `${file}: ${what}`, {
    hint: 'read are labelme and COCO (JSON), YOLO (folders of text files), Severstal (CSV) and the ellipses of DAGM 2007; CVAT, Label Studio, VIA and Supervisely export COCO',
    cause,
  });
}
