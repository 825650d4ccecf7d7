# AnomalyCLIP (docs/methods/anomalyclip.md): learned prompts against the patches of a v-v path, at several blocks.
import torch
import torch.nn.functional as F
from clip_pytorch import Vision, unit


class System:
    def __init__(self, setup, tensors, _learned):
        self.vision = Vision(setup, tensors)
        self.method = setup["method"]
        self.texts = unit(tensors.make_pair(setup))

    def judged(self, levels, cls, size):
        vision, probabilities = self.vision, lambda x: torch.softmax(unit(x) @ self.texts.T / temperature, -1)
        temperature = self.method["temperature"]
        # Without the final LayerNorm, as the prompts were learned.
        cls = cls @ vision.proj if self.method["compat"]["clsWithoutLnPost"] else vision.joint(cls)
        anomaly_map = 0
        for x in levels:
            cells = probabilities(vision.joint(x)[:, 1:]).transpose(1, 2).unflatten(-1, vision.grid)
            grown = F.interpolate(cells, size, mode="bilinear", align_corners=False)
            anomaly_map = anomaly_map + (grown[:, 1] + 1 - grown[:, 0]) / 2
        return probabilities(cls)[:, 1], anomaly_map

    def forward(self, picture, plain, two_paths):
        blocks = self.vision.blocks
        o, x, levels = self.vision.embed(picture), None, {}
        for number, block in enumerate(blocks, 1):
            if number <= len(blocks) - self.method["eAttnLayers"]:
                o = plain(block, o)
            else:
                o, x = two_paths(block, o, o if x is None else x, number == len(blocks))
            if number in self.method["features"]:
                levels[number] = o if x is None else x
        return self.judged([levels[n] for n in self.method["features"]], o[:, 0], picture.shape[2:])

    def authors(self, picture):
        vision = self.vision
        return self.forward(
            picture,
            lambda block, o: vision.mha(block, o.transpose(0, 1)).transpose(0, 1),
            lambda block, o, x, _is_last: vision.two_paths_by_matrices(block, o, x),
        )

    def batched(self, picture):
        return self.forward(picture, self.vision.plain, self.vision.two_paths)
