# VAND / APRIL-GAN (docs/methods/vand.md), zero-shot: linear heads on plain blocks.
import torch
import torch.nn.functional as F
from clip_pytorch import Vision, unit


class System:
    def __init__(self, setup, tensors, learned):
        self.vision = Vision(setup, tensors)
        self.method = setup["method"]
        self.texts = unit(tensors.make_pair(setup))
        width, joint = setup["vision"]["width"], setup["jointWidth"]
        prefix = "" if "fc.0.weight" in learned.stored else "trainable_linearlayer."
        self.heads = [learned.linear(f"{prefix}fc.{i}", joint, width) for i in range(len(self.method["features"]))]

    def judged(self, levels, last, size):
        logits = lambda x: unit(x) @ self.texts.T / self.method["temperature"]
        score = torch.softmax(logits(self.vision.joint(last)), -1)[:, 1]
        anomaly_map = 0
        for head, tokens in zip(self.heads, levels):
            cells = logits(F.linear(tokens[:, 1:], *head)).transpose(1, 2).unflatten(-1, self.vision.grid)
            grown = F.interpolate(cells, size, mode="bilinear", align_corners=True)
            anomaly_map = anomaly_map + torch.softmax(grown, 1)[:, 1]
        return score, anomaly_map

    def forward(self, picture, run):
        x = self.vision.embed(picture)
        levels = {}
        for number, block in enumerate(self.vision.blocks, 1):
            x = run(block, x)
            if number in self.method["features"]:
                levels[number] = x
        return self.judged([levels[n] for n in self.method["features"]], x[:, 0], picture.shape[2:])

    def authors(self, picture):
        vision = self.vision
        return self.forward(picture, lambda block, x: vision.mha(block, x.transpose(0, 1)).transpose(0, 1))

    def batched(self, picture):
        return self.forward(picture, self.vision.plain)
