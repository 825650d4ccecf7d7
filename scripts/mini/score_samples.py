# Scores the demo's pictures with the reference forward: python score_samples.py MODEL_FOLDER [--sheet OUT.png]
"""Prints file, maximum of the map (the score), fused score, and whether the hottest pixel lies on the defect
(7 pixels slack). The sheet shows picture, mask and map (black 0, white 1) in rows."""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from scipy.ndimage import binary_dilation

from tower import SIDE, Text, Vision, load_mask, load_picture, load_weights, score

SLACK = np.ones((15, 15), bool)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sheet")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weights = load_weights(arguments.folder)
    vision = Vision(weights)
    samples = arguments.folder / "samples"
    rows = []
    with torch.inference_mode():
        text = Text(weights)(load_file(arguments.folder / "prompts.safetensors"))[0]
        for sample in json.loads((samples / "samples.json").read_text()):
            file = samples / sample["picture"]
            mask = load_mask(str(samples / sample["mask"]) if sample["mask"] else None)
            features = vision(load_picture(str(file)))
            cls, patch = (F.normalize(features[key][0], dim=-1) for key in ("cls_raw", "patch_raw"))
            smooth, fused = score(cls, patch, text)
            hottest = np.unravel_index(int(smooth.argmax()), (SIDE, SIDE))
            found = "-" if not sample["mask"] else "yes" if binary_dilation(mask, SLACK)[hottest] else "no"
            print(f"| {sample['picture']} | {smooth.max():.3f} | {fused:.3f} | {found} |", flush=True)
            grey = (np.stack([mask * 255.0, smooth.numpy() * 255]).round()).astype(np.uint8)
            picture = np.array(Image.open(file).convert("RGB").resize((SIDE, SIDE)))
            rows.append(np.concatenate([picture, *(np.repeat(g[..., None], 3, 2) for g in grey)], 1))
    if arguments.sheet:
        Image.fromarray(np.concatenate(rows)).resize((3 * 200, len(rows) * 200)).save(arguments.sheet)


if __name__ == "__main__":
    main()
