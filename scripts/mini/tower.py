# The reference forward of crane-mini in PyTorch, written from method.md 2 to 6; imported by the other scripts here.
"""Everything is float32. Shapes: N = 32 * 32 patches, D = 384, T = text tokens up to EOT."""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter

from recipe import make_tensors

SIDE = 448
PATCH = 14
HEAD = 64
E_ATTN_LAYERS = 4
TEMPERATURE = 0.07
SIGMA_PX = 4
CONTEXT = 12
DEEP_TOKENS = 4
NORMAL_IDS = [49406] + [343] * CONTEXT + [14115, 269, 49407]
ANOMALOUS_IDS = [49406] + [343] * CONTEXT + [13568, 14115, 269, 49407]
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

Tensors = dict[str, torch.Tensor]


def load_weights(folder: str | Path, start: int = 0) -> Tensors:
    """Canonical names to float32 tensors (`text.token_ids` stays int32), from the files and recipes that model.json
    lists. start 0 is the model itself; 1, 2, ... other random text towers, made with salts of their own."""
    model = json.loads((Path(folder) / "model.json").read_text())
    tensors: Tensors = {}
    for part in model["weights"]:
        tensors |= load_file(Path(folder) / part["file"])
    for recipe in model["recipes"]:
        tensors |= make_tensors(recipe, f"{recipe['salt']}/{start}" if start else recipe["salt"])
    return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


def load_picture(path: str) -> torch.Tensor:
    """[1, 3, 448, 448], normalised. Resized in the picture's own mode, then RGB (method.md 2, step 1)."""
    with Image.open(path) as picture:
        rgb = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGB")
    pixels = torch.from_numpy(np.array(rgb)).permute(2, 0, 1).float() / 255  # [3, S, S]
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    return ((pixels - mean) / std).unsqueeze(0)


def load_mask(path: str | None) -> np.ndarray:
    """[448, 448] of 0 and 1; all 0 without a path (method.md 2, step 2)."""
    if not path:
        return np.zeros((SIDE, SIDE), np.uint8)
    with Image.open(path) as mask:
        binary = mask.convert("L").point(lambda value: 255 if value > 0 else 0)
    return (np.array(binary.resize((SIDE, SIDE), Image.Resampling.BILINEAR)) > 127).astype(np.uint8)


def heads(x: torch.Tensor) -> torch.Tensor:
    """[B, n, w] -> [B, heads, n, 64]"""
    return x.unflatten(-1, (-1, HEAD)).transpose(1, 2)


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """softmax(query key^T / 8) value, all [B, heads, n, 64]; result [B, n, w]."""
    scores = query @ key.transpose(-2, -1) * HEAD**-0.5
    if mask is not None:
        scores = scores + mask
    return (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)


class Vision:
    """DINOv2's first blocks with Crane's second stream (method.md 3, towers other than CLIP)."""

    def __init__(self, weights: Tensors):
        self.w = weights
        self.blocks = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("visual.blocks."))

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], self.w[f"visual.{name}.weight"], self.w[f"visual.{name}.bias"], 1e-6)

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.w[f"visual.blocks.{name}.weight"], self.w[f"visual.blocks.{name}.bias"])

    def positions(self, side: int) -> torch.Tensor:
        """[1 + side^2, w]; the grid is scaled by (side + 0.1) / 37 as DINOv2's own code does."""
        table = self.w["visual.pos"]
        table_side = math.isqrt(table.shape[0] - 1)
        if side == table_side:
            return table
        scale = (side + 0.1) / table_side
        grid = table[1:].unflatten(0, (table_side, table_side)).permute(2, 0, 1).unsqueeze(0)  # [1, w, 37, 37]
        grid = F.interpolate(grid, scale_factor=(scale, scale), mode="bicubic", antialias=False)
        assert grid.shape[-2:] == (side, side)
        return torch.cat([table[:1], grid[0].permute(1, 2, 0).flatten(0, 1)])

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """[B, 3, S, S] -> [B, 1 + N, w]"""
        patches = F.conv2d(pixels, self.w["visual.patch.weight"], self.w["visual.patch.bias"], stride=PATCH)
        tokens = patches.flatten(2).transpose(1, 2)
        cls = self.w["visual.cls"].expand(tokens.shape[0], 1, -1)
        return torch.cat([cls, tokens], 1) + self.positions(patches.shape[-1])

    def __call__(self, pixels: torch.Tensor, stages: Tensors | None = None) -> dict[str, torch.Tensor]:
        """cls_raw [B, w]; patch_raw (second stream) and plain_raw [B, N, w]; all after the final norm."""
        plain = self.embed(pixels)
        stream = None
        if stages is not None:
            stages["stage.ln_pre"] = plain
        for n in range(self.blocks):
            ls1, ls2 = self.w[f"visual.blocks.{n}.ls1"], self.w[f"visual.blocks.{n}.ls2"]
            if n == self.blocks - E_ATTN_LAYERS:
                stream = plain
            query, key, value = map(heads, self.linear(f"{n}.qkv", self.norm(f"blocks.{n}.ln1", plain)).chunk(3, -1))
            if stream is not None:
                # kind kk; no MLP on this stream
                stream = stream + ls1 * self.linear(f"{n}.out", attend(key, key, value))
            plain = plain + ls1 * self.linear(f"{n}.out", attend(query, key, value))
            hidden = F.gelu(self.linear(f"{n}.fc1", self.norm(f"blocks.{n}.ln2", plain)))
            plain = plain + ls2 * self.linear(f"{n}.fc2", hidden)
            if stages is not None:
                block = f"stage.block{n + 1:02d}"
                stages |= {block: plain} if stream is None else {f"{block}.x": stream, f"{block}.x_ori": plain}
        return {
            "cls_raw": self.norm("ln_post", plain[:, 0]),
            "patch_raw": self.norm("ln_post", stream[:, 1:]),
            "plain_raw": self.norm("ln_post", plain[:, 1:]),
        }


class Text:
    """The frozen text tower under learned prompts (method.md 5)."""

    def __init__(self, weights: Tensors):
        self.w = weights
        self.blocks = 1 + max(int(n.split(".")[2]) for n in weights if n.startswith("text.blocks."))
        self.row_of = {int(token): row for row, token in enumerate(weights["text.token_ids"])}

    def norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], self.w[f"text.{name}.weight"], self.w[f"text.{name}.bias"], 1e-5)

    def linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.w[f"text.blocks.{name}.weight"], self.w[f"text.blocks.{name}.bias"])

    def encode(
        self,
        ids: list[int],
        context: torch.Tensor,
        deep: list[torch.Tensor],
        guide: torch.Tensor | None,
        blocks: list[torch.Tensor],
    ) -> torch.Tensor:
        """One prompt. context [12, w]; deep: 3 of [4, w]; guide [B, D] or None (then B = 1). Result [B, D], not
        normalised. blocks gets the output of each block, [B, T, w]."""
        batch = 1 if guide is None else guide.shape[0]
        embedded = self.w["text.tokens"][[self.row_of[i] for i in ids]]  # [T, w]
        rows = [embedded[:1].expand(batch, -1, -1), context.expand(batch, -1, -1)]
        if guide is not None:  # pad-suffix: between the context rows and the words, all later rows shift by one
            rows.append(guide.unsqueeze(1))
        rows.append(embedded[1 + CONTEXT :].expand(batch, -1, -1))
        x = torch.cat(rows, 1)
        length = x.shape[1]  # rows after EOT never reach it and are not made
        x = x + self.w["text.pos"][:length]
        causal = torch.full((length, length), -torch.inf).triu(1)
        for n in range(self.blocks):
            if n > 0:  # rounded to half per sequence, so gradients are rounded as the reference rounds them
                tokens = deep[n - 1].expand(batch, -1, -1).half().float()
                x = torch.cat([x[:, :1], tokens, x[:, 1 + DEEP_TOKENS :]], 1)
            query, key, value = map(heads, self.linear(f"{n}.qkv", self.norm(f"blocks.{n}.ln1", x)).chunk(3, -1))
            x = x + self.linear(f"{n}.out", attend(query, key, value, causal))
            hidden = self.linear(f"{n}.fc1", self.norm(f"blocks.{n}.ln2", x))
            x = x + self.linear(f"{n}.fc2", hidden * torch.sigmoid(1.702 * hidden))
            blocks.append(x)
        return self.norm("ln_final", x[:, -1]) @ self.w["text.proj"]

    def __call__(
        self, prompts: Tensors, guide: torch.Tensor | None = None, stages: Tensors | None = None
    ) -> torch.Tensor:
        """[B, 2, D], rows normalised, normal first."""
        deep = [prompts[f"compound_prompts_text.{n}"] for n in range(self.blocks - 1)]
        pair = []
        for kind, ids, name in (("normal", NORMAL_IDS, "ctx_pos"), ("anomalous", ANOMALOUS_IDS, "ctx_neg")):
            blocks: list[torch.Tensor] = []
            pair.append(self.encode(ids, prompts[name].flatten(0, 2), deep, guide, blocks))
            if stages is not None:
                stages |= {f"block{n + 1:02d}.{kind}": x for n, x in enumerate(blocks)}
        raw = torch.stack(pair, 1)
        unit = F.normalize(raw, dim=-1)
        if stages is not None:
            stages |= {"features_raw": raw, "features_norm": unit}
        return unit


def random_prompts(blocks: int, width: int, seed: int) -> Tensors:
    """Where learning starts: N(0, 0.02^2) (method.md 7)."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"ctx_pos": (1, 1, CONTEXT, width), "ctx_neg": (1, 1, CONTEXT, width)}
    shapes |= {f"compound_prompts_text.{n}": (DEEP_TOKENS, width) for n in range(blocks - 1)}
    return {name: torch.randn(shape, generator=generator) * 0.02 for name, shape in shapes.items()}


def score(cls_norm: torch.Tensor, patch_norm: torch.Tensor, text: torch.Tensor, stages: Tensors | None = None):
    """One picture: cls_norm [D], patch_norm [N, D], text [2, D] -> (map [S, S] after the Gaussian, fused score)."""
    side = math.isqrt(patch_norm.shape[0])
    logits = patch_norm @ text.T / TEMPERATURE  # [N, 2]
    probability = logits.softmax(-1)[:, 1]
    cells = probability.view(1, 1, side, side)
    up = F.interpolate(cells, size=(SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0]
    smooth = torch.from_numpy(gaussian_filter(up.numpy(), SIGMA_PX, mode="reflect", truncate=4.0))
    fused = F.normalize(probability @ patch_norm, dim=-1)  # with one map the mean over maps is the map
    feature = F.normalize(0.5 * fused + 0.5 * cls_norm, dim=-1)
    fused_score = (feature @ text.T / TEMPERATURE).softmax(-1)[1]
    if stages is not None:
        stages |= {"pixel_logits": logits.view(1, 1, -1, 2), "map": up[None], "map_gauss": smooth[None]}
        stages |= {"fused": fused[None], "image_feature": feature[None], "score": fused_score.view(1)}
    return smooth, float(fused_score)
