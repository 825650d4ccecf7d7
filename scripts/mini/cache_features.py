# Runs the vision tower once per picture: python cache_features.py MODEL_FOLDER DATA_ROOT OUT_FOLDER SET...
"""Writes OUT_FOLDER/SET.safetensors: patch, plain [n, N, D] and cls [n, D], all normalised; mask [n, 448, 448] u8."""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from datasets import read_set
from tower import Vision, load_mask, load_picture, load_weights


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("sets", nargs="+")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    vision = Vision(load_weights(arguments.model))
    Path(arguments.out).mkdir(parents=True, exist_ok=True)
    for name in arguments.sets:
        rows: dict[str, list[torch.Tensor]] = {"patch": [], "plain": [], "cls": [], "mask": []}
        for picture in read_set(arguments.data, name):
            with torch.inference_mode():
                features = vision(load_picture(picture.path))
            rows["patch"].append(F.normalize(features["patch_raw"][0], dim=-1))
            rows["plain"].append(F.normalize(features["plain_raw"][0], dim=-1))
            rows["cls"].append(F.normalize(features["cls_raw"][0], dim=-1))
            rows["mask"].append(torch.from_numpy(load_mask(picture.mask)))
        save_file({key: torch.stack(values) for key, values in rows.items()}, f"{arguments.out}/{name}.safetensors")
        print(f"{name}: {len(rows['cls'])} pictures", flush=True)


if __name__ == "__main__":
    main()
