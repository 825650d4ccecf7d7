# The training step as the reference computes it, in plain PyTorch: full pictures through the towers, 77 text
# positions, 518 x 518 maps. The peer of test/bench/train.mjs, which starts it and asks for steps line by line.
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

E_ATTN_BLOCKS = 19  # the last blocks carry two streams (method.md 3)
TEMPERATURE, IMAGE_TEMPERATURE = 0.07, 0.01


# OpenAI's tensor names -> the short ones used here.
NAMES = [
    ("visual.transformer.resblocks", "visual.blocks"), ("visual.conv1", "visual.patch"),
    ("visual.class_embedding", "visual.cls"), ("visual.positional_embedding", "visual.pos"),
    ("attn.in_proj_", "qkv."), ("attn.out_proj", "out"), ("ln_1", "ln1"), ("ln_2", "ln2"),
    ("mlp.c_fc", "fc1"), ("mlp.c_proj", "fc2"), ("token_embedding.weight", "text.tokens"),
]
TEXT_NAMES = [("transformer.resblocks", "text.blocks"), ("ln_final", "text.ln_final"), ("positional_embedding", "text.pos"), ("text_projection", "text.proj")]


def short_name(name):
    for old, new in NAMES:
        name = name.replace(old, new)
    for old, new in TEXT_NAMES:
        if name.startswith(old):
            name = new + name[len(old):]
    return name


def tower(weights, prefix):
    blocks = []
    while f"{prefix}.blocks.{len(blocks)}.qkv.weight" in weights:
        name = f"{prefix}.blocks.{len(blocks)}."
        blocks.append({k[len(name):]: v for k, v in weights.items() if k.startswith(name)})
    return blocks


def heads(x, count):  # [B, N, W] -> [B, H, N, d]
    return x.view(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def qkv(block, x):
    u = F.layer_norm(x, x.shape[-1:], block["ln1.weight"], block["ln1.bias"], 1e-5)
    return [heads(part, x.shape[-1] // 64) for part in F.linear(u, block["qkv.weight"], block["qkv.bias"]).chunk(3, -1)]


def out(block, attended):
    joined = attended.transpose(1, 2).reshape(attended.shape[0], attended.shape[2], -1)
    return F.linear(joined, block["out.weight"], block["out.bias"])


def mlp(block, x):
    u = F.layer_norm(x, x.shape[-1:], block["ln2.weight"], block["ln2.bias"], 1e-5)
    hidden = F.linear(u, block["fc1.weight"], block["fc1.bias"])
    return F.linear(hidden * torch.sigmoid(1.702 * hidden), block["fc2.weight"], block["fc2.bias"])


def attention(q, k, v, mask=None):
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    return torch.softmax(scores if mask is None else scores + mask, -1) @ v


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


class Vision:
    def __init__(self, weights):
        self.w = weights
        self.blocks = tower(weights, "visual")

    @torch.no_grad()
    def __call__(self, images):
        w = self.w
        x = F.conv2d(images, w["visual.patch.weight"], stride=14)
        grid = x.shape[-2:]
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([w["visual.cls"].view(1, 1, -1).expand(x.shape[0], -1, -1), x], 1)
        pos = w["visual.pos"].view(-1, x.shape[-1])
        side = int((pos.shape[0] - 1) ** 0.5)
        patches = pos[1:].view(1, side, side, -1).permute(0, 3, 1, 2)
        patches = F.interpolate(patches, grid, mode="bilinear", align_corners=False).flatten(2).transpose(1, 2)
        x = x + torch.cat([pos[None, :1], patches], 1)
        x = F.layer_norm(x, x.shape[-1:], w["visual.ln_pre.weight"], w["visual.ln_pre.bias"], 1e-5)
        e = None
        for i, block in enumerate(self.blocks):
            q, k, v = qkv(block, x)
            if i >= len(self.blocks) - E_ATTN_BLOCKS:
                e = x if e is None else e
                scale = q.shape[-1] ** -0.5
                own = sum(torch.softmax(s @ s.transpose(-2, -1) * scale, -1) for s in (q, k, v))
                e = e + out(block, own @ v)
            x = x + out(block, F.scaled_dot_product_attention(q, k, v))
            x = x + mlp(block, x)
        project = lambda t: F.layer_norm(t, t.shape[-1:], w["visual.ln_post.weight"], w["visual.ln_post.bias"], 1e-5) @ w["visual.proj"]
        return unit(project(x[:, 0])), [unit(project(e[:, 1:])) for _ in range(4)]  # features 6 12 18 24


class Text:
    def __init__(self, weights, texts):
        self.w = weights
        self.blocks = tower(weights, "text")
        self.texts = texts
        self.mask = torch.full((77, 77), float("-inf")).triu(1)

    def __call__(self, prompts, guidance):
        w, pair = self.w, []
        for ids, context in zip(self.texts, prompts["context"]):
            row = w["text.tokens"][ids]
            batch = guidance.shape[0]
            both = torch.cat([row[:1], context, row[13:]], 0)[None].expand(batch, -1, -1)
            both = torch.cat([both[:, :13], guidance[:, None], both[:, 13:76]], 1)  # pad-suffix
            x = both + w["text.pos"]
            for i, block in enumerate(self.blocks):
                if 0 < i <= len(prompts["deep"]):
                    deep = prompts["deep"][i - 1][None].expand(batch, -1, -1).half().float()
                    x = torch.cat([x[:, :1], deep, x[:, 1 + deep.shape[1]:]], 1)
                q, k, v = qkv(block, x)
                x = x + out(block, attention(q, k, v, self.mask))
                x = x + mlp(block, x)
            x = F.layer_norm(x, x.shape[-1:], w["text.ln_final.weight"], w["text.ln_final.bias"], 1e-5)
            pair.append(x[:, ids.argmax() + 1] @ w["text.proj"])
        return unit(torch.stack(pair, 1))


def loss_of(maps, cls, text, masks, labels):
    focal = dice = 0
    logits = []
    onehot = torch.stack([1 - masks, masks], 1).clamp(1e-5, 1 - 1e-5)
    for m in maps:
        z = m @ text.transpose(-2, -1) / TEMPERATURE
        logits.append(z)
        side = int(z.shape[1] ** 0.5)
        p = torch.softmax(z, -1).transpose(1, 2).view(-1, 2, side, side)
        p = F.interpolate(p, masks.shape[-2:], mode="nearest")
        pt = (onehot * p).sum(1) + 1e-5
        focal = focal + (-((1 - pt) ** 2) * pt.log()).mean()
        a = p[:, 1].flatten(1)
        y = masks.flatten(1)
        dice = dice + 1 - ((2 * (a * y).sum(1) + 1) / (a.sum(1) + y.sum(1) + 1)).mean()
    weight = torch.softmax(sum(logits) / len(logits), -1)[..., 1:]
    fused = unit((weight * sum(maps) / len(maps)).sum(1))
    image = unit(0.5 * fused + 0.5 * cls)
    cross = F.cross_entropy((image[:, None] @ text.transpose(-2, -1))[:, 0] / IMAGE_TEMPERATURE, labels)
    return 2 * focal + 2 * dice + 0.2 * cross


def main():
    setup = json.loads(sys.stdin.readline())
    torch.set_num_threads(setup["threads"])
    torch.manual_seed(111)
    weights = {short_name(k): v.float() for k, v in load_file(setup["weights"]).items()}
    vision, text = Vision(weights), Text(weights, [torch.tensor(ids) for ids in setup["texts"]])
    width = weights["text.pos"].shape[1]
    new = lambda rows: torch.nn.Parameter(torch.randn(rows, width) * 0.02)
    prompts = {"context": [new(12), new(12)], "deep": [new(4) for _ in range(8)]}
    optimiser = torch.optim.Adam(prompts["context"] + prompts["deep"], lr=1e-3, betas=(0.6, 0.999))
    batch, side = setup["batch"], setup["side"]
    images = torch.randn(batch, 3, side, side)
    labels = torch.arange(batch) % 2
    masks = (torch.rand(batch, side, side) > 0.9).float() * labels.view(-1, 1, 1)
    print(json.dumps({"ready": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        # Picture by picture: as one batch of eight, the N x N matrices of all heads take PyTorch three times as long here.
        each = [vision(images[i : i + 1]) for i in range(batch)]
        cls = torch.cat([c for c, _ in each])
        maps = [torch.cat(same) for same in zip(*(m for _, m in each))]
        features = time.perf_counter()
        loss = loss_of(maps, cls, text(prompts, cls), masks, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        end = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"s": end - start, "towers": features - start, "loss": loss.item(), "peak": peak}), flush=True)


main()
