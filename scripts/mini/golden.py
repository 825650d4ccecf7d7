# Writes every stage of one picture for parity checks: python golden.py WEIGHTS PICTURE OUT.safetensors [--prompts FILE]
"""Without --prompts unlearned ones (seed 111) are used and written beside OUT as *.prompts.safetensors."""

import argparse

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from tower import Text, Vision, load_picture, load_weights, random_prompts, score


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    parser.add_argument("picture")
    parser.add_argument("out")
    parser.add_argument("--prompts")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weights = load_weights(arguments.weights)
    text = Text(weights)
    if arguments.prompts:
        prompts = load_file(arguments.prompts)
    else:
        prompts = random_prompts(text.blocks, weights["text.proj"].shape[0], 111)
        save_file(prompts, arguments.out.removesuffix(".safetensors") + ".prompts.safetensors")
    stages = {"input": load_picture(arguments.picture)}
    with torch.inference_mode():
        features = Vision(weights)(stages["input"], stages)
        stages["cls_raw"] = features["cls_raw"]  # [1, D]
        stages["cls_norm"] = F.normalize(features["cls_raw"], dim=-1)
        stages["patch_raw"] = features["patch_raw"].unsqueeze(0)  # [maps = 1, 1, N, D]
        stages["patch_norm"] = F.normalize(stages["patch_raw"], dim=-1)
        stages["text_features"] = text(prompts)  # [1, 2, D]
        score(stages["cls_norm"][0], stages["patch_norm"][0, 0], stages["text_features"][0], stages)
    save_file({name: t.contiguous().clone() for name, t in stages.items()}, arguments.out)
    for name, t in stages.items():
        print(f"{name:15} {list(t.shape)} min {t.min():.6g} max {t.max():.6g} mean {t.mean():.6g}")


if __name__ == "__main__":
    main()
