# Writes every stage of one picture for parity checks: python golden.py MODEL_FOLDER PICTURE OUT.safetensors
"""With the shipped prompts. The names are those of the engine's trace; those of traceText have "text." and the guidance
in front, and a block's two prompts apart, up to the end of the text (the engine goes on to the end of the context)."""

import argparse

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from tower import Text, Vision, load_picture, load_weights, score


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("picture")
    parser.add_argument("out")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weights = load_weights(arguments.model)
    stages = {"input": load_picture(arguments.picture)}
    with torch.inference_mode():
        features = Vision(weights)(stages["input"], stages)
        stages["cls_raw"] = features["cls_raw"]  # [1, D]
        stages["cls_norm"] = F.normalize(features["cls_raw"], dim=-1)
        stages["patch_raw"] = features["patch_raw"].unsqueeze(0)  # [maps = 1, 1, N, D]
        stages["patch_norm"] = F.normalize(stages["patch_raw"], dim=-1)
        prompts = load_file(f"{arguments.model}/prompts.safetensors")
        for name, guide in (("none", None), ("pad-suffix", stages["cls_norm"])):
            text_stages: dict[str, torch.Tensor] = {}
            Text(weights)(prompts, guide, text_stages)
            stages |= {f"text.{name}.{stage}": t for stage, t in text_stages.items()}
        stages["text_features"] = stages["text.none.features_norm"]  # [1, 2, D]
        score(stages["cls_norm"][0], stages["patch_norm"][0, 0], stages["text_features"][0], stages)
    save_file({name: t.contiguous().clone() for name, t in stages.items()}, arguments.out)
    for name, t in stages.items():
        print(f"{name:15} {list(t.shape)} min {t.min():.6g} max {t.max():.6g} mean {t.mean():.6g}")


if __name__ == "__main__":
    main()
