/**
 * THE table of what `weights pull` can fetch: every address, checksum and licence stands here and nowhere else.
 * A checksum is in it only where its publisher states one (OpenAI: in the address itself; open_clip: the first eight
 * digits) or where a copy of the
 * file was at hand (the authors' prompts). `seenIn` names the public file that the address was taken from.
 */
import type { CraneKind, SourceKind } from '../model-names.js';
import { publishedSha256 } from '../published-prompts.js';
import type { VisionTowerSizes } from './sizes.js';

export interface PublicFile {
  /** what the user types */
  name: string;
  /** its name on disk, as published */
  file: string;
  url: string;
  /** of the whole file; absent where none is published: then the first download is remembered */
  sha256?: string;
  /** its first digits, where the publisher states no more */
  sha256Begins?: string;
  /** about; shown before a download */
  megabytes: number;
  what: string;
  licence: string;
  seenIn: string;
  /** compared with the tensors where there is no checksum */
  expected?: { naming: string | readonly string[]; vision: Partial<VisionTowerSizes> };
  /** prompts: data sets whose pictures they were learned on */
  learnedOn?: string[];
}

export interface PublicModel {
  name: string;
  /** Crane's, or the model of another method that learns nothing beforehand */
  kind: CraneKind | { method: string };
  what: string;
  weights: string;
  source?: string;
  /** what `source` is; DINOv2 unless said */
  sourceKind?: SourceKind;
  /** the first is the default */
  prompts: { set: string; file: string }[];
}

export interface AddressTable {
  files: readonly PublicFile[];
  models: readonly PublicModel[];
}

const openclip = 'mlfoundations/open_clip, src/open_clip/pretrained.py at 0134a455';
const dinov2Readme = 'facebookresearch/dinov2, README.md at 04b91003 and dinov2/hub/backbones.py at a44758b4';

const files: PublicFile[] = [
  openaiClip(
    'ViT-L-14-336px',
    '3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02',
    934,
    `AlirezaSalehy/Crane, models/model_load.py at 61393e73; ${openclip}`,
  ),
  openaiClip('ViT-L-14', 'b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836', 932, openclip),
  openaiClip('ViT-B-16', '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f', 351, openclip),
  openaiClip(
    'ViT-B-32',
    '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
    354,
    `openai/CLIP, clip/clip.py at 3bee2811; ${openclip}`,
  ),
  {
    name: 'ViT-B-16-plus-240',
    file: 'vit_b_16_plus_240-laion400m_e32-699c4b84.pt',
    url: 'https://github.com/mlfoundations/open_clip/releases/download/v0.2-weights/vit_b_16_plus_240-laion400m_e32-699c4b84.pt',
    sha256Begins: '699c4b84',
    megabytes: 834,
    what: "open_clip's CLIP ViT-B/16-plus for 240 pixels, learned on LAION-400M (laion400m_e32)",
    licence: 'MIT',
    seenIn: openclip,
    // A training run's wrapper ("module.") makes the same names another family.
    expected: {
      naming: ['openai-clip', 'open-clip'],
      vision: { width: 896, layers: 12, patch: 16, grid: 15 },
    },
  },
  ...dinov2('s', 384, 12, 88),
  ...dinov2('b', 768, 12, 346),
  ...dinov2('l', 1024, 24, 1217),
  {
    name: 'dino_vitbase8',
    file: 'dino_vitbase8_pretrain.pth',
    url: 'https://dl.fbaipublicfiles.com/dino/dino_vitbase8_pretrain/dino_vitbase8_pretrain.pth',
    megabytes: 343,
    what: 'DINO ViT-B/8, another source for D-Attn',
    licence: 'Apache-2.0',
    seenIn: 'facebookresearch/dino, hubconf.py at 144f7056',
    expected: { naming: 'dinov2', vision: { width: 768, layers: 12, patch: 8, grid: 28, registers: 0 } },
  },
  {
    name: 'sam_vit_b',
    file: 'sam_vit_b_01ec64.pth',
    url: 'https://dl.fbaipublicfiles.com/segment_anything/sam_vit_b_01ec64.pth',
    megabytes: 375,
    what: 'SAM ViT-B, another source for D-Attn',
    licence: 'Apache-2.0',
    seenIn: 'facebookresearch/segment-anything, README.md at 13ea6634',
    expected: { naming: 'sam', vision: { width: 768, layers: 12, patch: 16, grid: 64 } },
  },
  authorsPrompts({
    name: 'crane-mvtec',
    file: 'trained_on_mvtec_crane_epoch_5.pth',
    commit: '36eafb15d7a01c5b3a74d4efa09b8e267734f49c',
    path: 'trained_on_mvtec_crane/epoch_5.pth',
    sha256: publishedSha256('mvtec', 'crane', 5),
    what: 'prompts of Crane, learned on MVTec AD',
    learnedOn: ['mvtec'],
  }),
  authorsPrompts({
    name: 'crane-visa',
    file: 'trained_on_visa_crane_epoch_5.pth',
    commit: '56bb4f15bf90952f0f0a711daaff6382c8e5040a',
    path: 'trained_on_visa_crane/epoch_5.pth',
    sha256: publishedSha256('visa', 'crane', 5),
    what: 'prompts of Crane, learned on VisA',
    learnedOn: ['visa'],
  }),
  // The repository keeps Crane+'s prompts for MVTec as "default", the name its README gives to Crane+.
  authorsPrompts({
    name: 'crane+-mvtec',
    file: 'trained_on_mvtec_cranep_epoch_5.pth',
    commit: 'a68422af50a5da20f364c7597d4c301ec084687b',
    path: 'trained_on_mvtec_default/epoch_5.pth',
    sha256: publishedSha256('mvtec', 'crane+', 5),
    what: 'prompts of Crane+, learned on MVTec AD',
    learnedOn: ['mvtec'],
  }),
  authorsPrompts({
    name: 'crane+-mvtec-epoch-1',
    file: 'trained_on_mvtec_cranep_epoch_1.pth',
    commit: 'a68422af50a5da20f364c7597d4c301ec084687b',
    path: 'trained_on_mvtec_default/epoch_1.pth',
    sha256: publishedSha256('mvtec', 'crane+', 1),
    what: 'prompts of Crane+ for medical pictures: one epoch on MVTec AD',
    learnedOn: ['mvtec'],
  }),
  authorsPrompts({
    name: 'crane+-visa',
    file: 'trained_on_visa_cranep_epoch_5.pth',
    commit: '36eafb15d7a01c5b3a74d4efa09b8e267734f49c',
    path: 'trained_on_visa_cranep/epoch_5.pth',
    sha256: publishedSha256('visa', 'crane+', 5),
    what: 'prompts of Crane+, learned on VisA',
    learnedOn: ['visa'],
  }),
];

const cranePlusPrompts = [
  { set: 'mvtec', file: 'crane+-mvtec' },
  { set: 'mvtec-epoch-1', file: 'crane+-mvtec-epoch-1' },
  { set: 'visa', file: 'crane+-visa' },
];

/** Which files the published settings use (method.md 9), and Crane+ with the other spatial sources of the paper. */
const models: PublicModel[] = [
  {
    name: 'crane',
    kind: 'crane',
    what: 'Crane: CLIP ViT-L/14@336 with E-Attn',
    weights: 'ViT-L-14-336px',
    prompts: [
      { set: 'mvtec', file: 'crane-mvtec' },
      { set: 'visa', file: 'crane-visa' },
    ],
  },
  {
    name: 'crane+',
    kind: 'crane+',
    what: 'Crane+: Crane and D-Attn with DINOv2 ViT-B/14',
    weights: 'ViT-L-14-336px',
    source: 'dinov2_vitb14_reg4',
    prompts: cranePlusPrompts,
  },
  {
    name: 'crane+dino',
    kind: 'crane+',
    what: 'Crane+ with DINO ViT-B/8 instead of DINOv2, as in an ablation of the paper',
    weights: 'ViT-L-14-336px',
    source: 'dino_vitbase8',
    sourceKind: 'dino',
    prompts: cranePlusPrompts,
  },
  {
    name: 'crane+sam',
    kind: 'crane+',
    what: "Crane+ with SAM ViT-B's image encoder instead of DINOv2, as in an ablation of the paper",
    weights: 'ViT-L-14-336px',
    source: 'sam_vit_b',
    sourceKind: 'sam',
    prompts: cranePlusPrompts,
  },
  {
    name: 'winclip',
    kind: { method: 'winclip' },
    what: 'WinCLIP: CLIP ViT-B/16-plus@240 of open_clip on small windows',
    weights: 'ViT-B-16-plus-240',
    prompts: [],
  },
  {
    name: 'anovl',
    kind: { method: 'anovl' },
    what: 'AnoVL: CLIP ViT-B/16-plus@240 of open_clip with v-v attention',
    weights: 'ViT-B-16-plus-240',
    prompts: [],
  },
];

export const publicTable: AddressTable = { files, models };

/** The folder of the address is the file's sha256: OpenAI's own loader compares the two. */
function openaiClip(name: string, sha256: string, megabytes: number, seenIn: string): PublicFile {
  return {
    name,
    file: `${name}.pt`,
    url: `https://openaipublic.azureedge.net/clip/models/${sha256}/${name}.pt`,
    sha256,
    megabytes,
    what: `OpenAI's CLIP ${name.replace(/^(ViT-.)-/, '$1/').replace('-336px', '@336')}`,
    licence: 'MIT',
    seenIn,
  };
}

/** Without and with four registers; ViT-L/14 has 24 layers. No checksum is published. */
function dinov2(size: 's' | 'b' | 'l', width: number, layers: number, megabytes: number): PublicFile[] {
  return [0, 4].map((registers) => {
    const base = `dinov2_vit${size}14`;
    const name = registers === 0 ? base : `${base}_reg${registers}`;
    return {
      name,
      file: `${name}_pretrain.pth`,
      url: `https://dl.fbaipublicfiles.com/dinov2/${base}/${name}_pretrain.pth`,
      megabytes,
      what: `DINOv2 ViT-${size.toUpperCase()}/14${registers === 0 ? '' : ` with ${registers} registers`}`,
      licence: 'Apache-2.0',
      seenIn: dinov2Readme,
      expected: { naming: 'dinov2', vision: { width, layers, patch: 14, grid: 37, registers } },
    };
  });
}

interface AuthorsPrompts extends Pick<PublicFile, 'name' | 'file' | 'what'> {
  sha256: string;
  commit: string;
  path: string;
  learnedOn: string[];
}

function authorsPrompts({ commit, path, ...rest }: AuthorsPrompts): PublicFile {
  return {
    ...rest,
    url: `https://raw.githubusercontent.com/AlirezaSalehy/Crane/${commit}/checkpoints/${path}`,
    megabytes: 1,
    licence: 'MIT',
    seenIn: `AlirezaSalehy/Crane, checkpoints/${path} at ${commit.slice(0, 8)}; the sha256 is that of a copy`,
  };
}
