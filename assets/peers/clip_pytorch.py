# CLIP's two towers in plain PyTorch, for the peers that compute the compared systems (system_*.py): with tensors of
# files under OpenAI's names, or random ones of given sizes. Every block has two writings: `mha` is the attention module
# that CLIP comes with, sequences first; `plain` and `two_paths` are what PyTorch offers that is faster.
# Shapes: B pictures, N tokens, W width, H heads, C joint width.
import json

import torch
import torch.nn.functional as F

NUMBERS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32, "I64": torch.int64}


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS = {"gelu": F.gelu, "quick-gelu": quick_gelu}


class Tensors:
    """By name: of .safetensors files, or random where there are none."""

    def __init__(self, paths, dtype, device):
        self.make = {"dtype": dtype, "device": device}
        self.stored = {}
        for path in paths:
            with open(path, "rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
                data = bytearray(file.read())
            for name, entry in header.items():
                if name == "__metadata__":
                    continue
                begin, end = entry["data_offsets"]
                flat = torch.frombuffer(data[begin:end], dtype=NUMBERS[entry["dtype"]])
                self.stored[name] = flat.reshape(entry["shape"])

    def __call__(self, name, shape=None, spread=None):
        if self.stored:
            return self.stored[name].to(**self.make)
        spread = shape[-1] ** -0.5 if spread is None else spread
        return torch.randn(shape, **self.make) * spread

    def norm(self, name, width):
        if self.stored:
            return self(f"{name}.weight"), self(f"{name}.bias")
        return torch.ones(width, **self.make), torch.zeros(width, **self.make)

    def linear(self, name, out, into):
        return self(f"{name}.weight", (out, into)), self(f"{name}.bias", (out,), 0.02)


class Blocks:
    """What both towers are made of."""

    def __init__(self, tensors, prefix, width, layers, mlp, heads, activation):
        self.width, self.heads, self.activation = width, heads, ACTIVATIONS[activation]
        self.blocks = []
        for i in range(layers):
            at = f"{prefix}transformer.resblocks.{i}"
            self.blocks.append(
                {
                    "ln_1": tensors.norm(f"{at}.ln_1", width),
                    "qkv": (
                        tensors(f"{at}.attn.in_proj_weight", (3 * width, width)),
                        tensors(f"{at}.attn.in_proj_bias", (3 * width,), 0.02),
                    ),
                    "out": tensors.linear(f"{at}.attn.out_proj", width, width),
                    "ln_2": tensors.norm(f"{at}.ln_2", width),
                    "fc": tensors.linear(f"{at}.mlp.c_fc", mlp, width),
                    "proj": tensors.linear(f"{at}.mlp.c_proj", width, mlp),
                }
            )

    def layer_norm(self, x, parameters):
        return F.layer_norm(x, (self.width,), *parameters, 1e-5)

    def mlp(self, block, x):
        return F.linear(self.activation(F.linear(self.layer_norm(x, block["ln_2"]), *block["fc"])), *block["proj"])

    def mha(self, block, x, mask=None):  # [N, B, W], as CLIP's code has it
        h = self.layer_norm(x, block["ln_1"])
        attended, _ = F.multi_head_attention_forward(
            h, h, h, self.width, self.heads, *block["qkv"], None, None, False, 0.0, *block["out"],
            training=False, need_weights=False, attn_mask=mask,
        )  # fmt: skip
        x = x + attended
        return x + self.mlp(block, x)

    def project(self, block, x):  # [B, N, W] -> three times [B, H, N, d]
        parts = F.linear(self.layer_norm(x, block["ln_1"]), *block["qkv"]).chunk(3, -1)
        return [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts]

    def out(self, block, attended):  # [B, H, N, d] -> [B, N, W]
        return F.linear(attended.transpose(1, 2).flatten(2), *block["out"])

    def plain(self, block, x, causal=False, only_class=False):  # [B, N, W]; only_class: row 0 is all that is wanted
        q, k, v = self.project(block, x)
        if only_class:
            q, x = q[:, :, :1], x[:, :1]
        x = x + self.out(block, F.scaled_dot_product_attention(q, k, v, is_causal=causal))
        return x + self.mlp(block, x)

    def two_paths(self, block, o, x, only_class=False):
        """Fused: o goes on as CLIP's own path, x gathers the v-v attention (docs/methods/anomalyclip.md)."""
        q, k, v = self.project(block, o)
        x = x + self.out(block, F.scaled_dot_product_attention(v, v, v))
        if only_class:
            q, o = q[:, :, :1], o[:, :1]
        o = o + self.out(block, F.scaled_dot_product_attention(q, k, v))
        return o + self.mlp(block, o), x

    def two_paths_by_matrices(self, block, o, x):
        """The same with whole [N, N] matrices."""
        q, k, v = self.project(block, o)
        scale = q.shape[-1] ** -0.5
        own = torch.softmax(q @ k.transpose(-2, -1) * scale, -1) @ v
        gathered = torch.softmax(v @ v.transpose(-2, -1) * scale, -1) @ v
        x = x + self.out(block, gathered)
        o = o + self.out(block, own)
        return o + self.mlp(block, o), x


class Vision(Blocks):
    def __init__(self, setup, tensors):
        sizes = setup["vision"]
        width, patch = sizes["width"], sizes["patch"]
        heads = setup.get("heads", {}).get("vision", width // 64)
        super().__init__(tensors, "visual.", width, sizes["layers"], sizes["mlp"], heads, setup["activation"])
        side = setup["input"]
        self.patch, self.grid = patch, (side["height"] // patch, side["width"] // patch)
        self.patches = tensors("visual.conv1.weight", (width, 3, patch, patch), 0.02)
        self.first = tensors("visual.class_embedding", (width,), 0.02).reshape(1, 1, -1)
        self.positions = self.fitted(
            tensors("visual.positional_embedding", (1 + sizes["patches"], width), 0.02), setup["positions"]
        )
        self.ln_pre = tensors.norm("visual.ln_pre", width)
        self.ln_post = tensors.norm("visual.ln_post", width)
        self.proj = tensors("visual.proj", (width, setup["jointWidth"]), width**-0.5)

    def fitted(self, table, how):  # [1 + n, W] -> [1 + N, W]
        count = table.shape[0] - 1
        side = round(count**0.5)
        if how == "none" or (side, side) == self.grid:
            return table
        planes = table[1:].T.reshape(1, -1, side, side)
        antialias = how == "bicubic-antialias"
        mode = "bilinear" if how == "bilinear" else "bicubic"
        planes = F.interpolate(planes.float(), self.grid, mode=mode, align_corners=False, antialias=antialias)
        return torch.cat([table[:1], planes.to(table.dtype).flatten(2)[0].T])

    def rows(self, pictures):  # before ln_pre
        x = F.conv2d(pictures, self.patches, stride=self.patch).flatten(2).transpose(1, 2)
        return torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.positions

    def embed(self, pictures):  # [B, 3, S, S] -> [B, N, W]
        return self.layer_norm(self.rows(pictures), self.ln_pre)

    def joint(self, x):
        return self.layer_norm(x, self.ln_post) @ self.proj


class Text(Blocks):
    def __init__(self, setup, tensors):
        sizes = setup["text"]
        width = sizes["width"]
        heads = setup.get("heads", {}).get("text", width // 64)
        super().__init__(tensors, "", width, sizes["layers"], 4 * width, heads, setup["activation"])
        self.tokens = tensors("token_embedding.weight", (49408, width), 0.02)
        self.positions = tensors("positional_embedding", (77, width), 0.02)
        self.ln_final = tensors.norm("ln_final", width)
        self.proj = tensors("text_projection", (width, setup["jointWidth"]), width**-0.5)
        self.mask = torch.full((77, 77), float("-inf"), **tensors.make).triu(1)
        self.ids = torch.tensor(setup["sentences"]["ids"], device=self.proj.device)

    def replaced(self, x, prompt):  # rows 1.. of every sentence, rounded to half as the code does
        rows = prompt.half().to(x.dtype).expand(x.shape[0], -1, -1)
        return torch.cat([x[:, :1], rows, x[:, 1 + rows.shape[1] :]], 1)

    def encode(self, deep, whole):
        """whole: all 77 rows by CLIP's own attention; otherwise the rows up to the last end of a sentence."""
        ends = self.ids.argmax(-1)
        count = 77 if whole else int(ends.max()) + 1
        x = self.tokens[self.ids[:, :count]] + self.positions[:count]
        for i, block in enumerate(self.blocks):
            if 0 < i <= len(deep):
                x = self.replaced(x, deep[i - 1])
            if whole:
                x = self.mha(block, x.transpose(0, 1), self.mask).transpose(0, 1)
            else:
                x = self.plain(block, x, causal=True)
        x = x[torch.arange(x.shape[0]), ends]
        return self.layer_norm(x, self.ln_final) @ self.proj
