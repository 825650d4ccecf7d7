# AdaCLIP (docs/methods/adaclip.md): prompts in both towers, some made from the picture; fusion of clustered patches.
import math

import torch
import torch.nn.functional as F
from clip_pytorch import Text, Vision, unit

ROWS, BLOCKS, ITERATIONS = 5, 4, 300


def k_means(rows, clusters, generator):  # [n, D] -> [n]
    """k-means++ with the best of some candidates, then Lloyd's steps until nothing changes."""
    candidates = 2 + int(math.log(clusters))
    centres = rows[torch.randint(rows.shape[0], (1,), generator=generator)]
    nearest = torch.cdist(rows, centres).square()[:, 0]
    while centres.shape[0] < clusters and nearest.sum() > 0:
        tried = torch.multinomial(nearest, candidates, replacement=True, generator=generator)
        then = torch.minimum(nearest[:, None], torch.cdist(rows, rows[tried]).square())
        best = then.sum(0).argmin()
        nearest, centres = then[:, best], torch.cat([centres, rows[tried[best]][None]])
    labels = torch.cdist(rows, centres).argmin(1)
    for _ in range(ITERATIONS):
        members = F.one_hot(labels, centres.shape[0]).to(rows.dtype)
        centres = members.T @ rows / members.sum(0)[:, None].clamp(min=1)
        before, labels = labels, torch.cdist(rows, centres).argmin(1)
        if torch.equal(before, labels):
            break
    return labels


class System:
    def __init__(self, setup, tensors, learned):
        self.vision, self.text = Vision(setup, tensors), Text(setup, tensors)
        self.method, self.normal = setup["method"], setup["sentences"]["normal"]
        width, text, joint = setup["vision"]["width"], setup["text"]["width"], setup["jointWidth"]
        count = lambda part: sum(name.startswith(f"clip_model.{part}.") for name in learned.stored)
        blocks = count("visual_prompter.static_prompts") or BLOCKS
        rows = count("dynamic_visual_prompt_generator.head") // 2 or ROWS
        prompts = lambda part, w: [learned(f"clip_model.{part}.static_prompts.{b}", (rows, w), 0.02) for b in range(blocks)]
        heads = lambda part, n, out, into: [learned.linear(f"clip_model.{part}.head.{i}", out, into) for i in range(n)]
        self.visual_prompts, self.text_prompts = prompts("visual_prompter", width), prompts("text_prompter", text)
        self.visual_generators = heads("dynamic_visual_prompt_generator", rows, width, joint)
        self.text_generators = heads("dynamic_text_prompt_generator", rows, text, joint)
        self.patch_heads = heads("patch_token_layer", len(self.method["features"]), joint, width)
        self.class_head = heads("cls_token_layer", 1, joint, joint)[0]

    def forward(self, picture, run, is_batched):
        vision, features = self.vision, self.method["features"]
        start = x = vision.embed(picture)
        for block in vision.blocks[:-1]:
            x = run(block, x)
        x = vision.plain(vision.blocks[-1], x, only_class=True) if is_batched else run(vision.blocks[-1], x)
        plain = vision.joint(x[:, 0])
        made = lambda generators: torch.cat([F.linear(plain, *generator) for generator in generators])
        visual, textual = made(self.visual_generators), made(self.text_generators)

        x, count, levels = start, start.shape[1], {}
        for number, block in enumerate(vision.blocks, 1):
            if number <= len(self.visual_prompts):
                rows = (visual + self.visual_prompts[number - 1]).half().to(x.dtype)
                x = torch.cat([x[:, :count], rows[None]], 1)
            x = run(block, x)
            if number in features:
                levels[number] = x[:, 1:count]
        patches = torch.stack([unit(F.linear(levels[n], *head))[0] for n, head in zip(features, self.patch_heads)])
        cls = unit(F.linear(vision.joint(x[:, 0]), *self.class_head))
        encoded = unit(self.text.encode([textual + p for p in self.text_prompts[1:]], whole=not is_batched))
        texts = torch.stack([unit(encoded[: self.normal].mean(0)), unit(encoded[self.normal :].mean(0))])
        return self.judged(patches, cls, texts, picture.shape[2:])

    def judged(self, patches, cls, texts, size):  # patches [L, N, C]
        logits = patches @ texts.T / self.method["temperature"]
        grown = F.interpolate(
            logits.transpose(1, 2).unflatten(-1, self.vision.grid), size, mode="bilinear", align_corners=True
        ).mean(0)
        p = torch.softmax(grown, 0)
        feature = cls
        if self.method["fusion"]:
            feature = unit(0.2 * self.clustered(patches, logits) + 0.8 * cls)
        score = torch.softmax(feature @ texts.T / self.method["temperature"], -1)[:, 1]
        return score, ((p[1] + 1 - p[0]) / 2)[None]

    def clustered(self, patches, logits):
        clusters = self.method["clusters"]
        count = min(patches.shape[1], clusters * self.method["clusterPatches"])
        top = torch.softmax(logits.mean(0), -1)[:, 1].argsort(descending=True, stable=True)[:count]
        chosen = patches[:, top]
        given = self.method["compat"]["clusterLabels"]
        generator = torch.Generator(chosen.device).manual_seed(0)
        rows = chosen.transpose(0, 1).flatten(1).float()
        labels = torch.tensor(given, device=chosen.device) if given else k_means(rows, clusters, generator)
        means = [chosen[:, labels == label].flatten(0, 1).mean(0) for label in labels.unique()]
        return unit(torch.stack(means).mean(0, keepdim=True))

    def authors(self, picture):
        vision = self.vision
        mha = lambda block, x: vision.mha(block, x.transpose(0, 1)).transpose(0, 1)
        return self.forward(picture, mha, is_batched=False)

    def batched(self, picture):
        return self.forward(picture, self.vision.plain, is_batched=True)
