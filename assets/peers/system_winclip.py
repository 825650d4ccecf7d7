# WinCLIP (docs/methods/winclip.md), zero-shot: every window of the grid is a sequence of its own.
import torch
import torch.nn.functional as F
from clip_pytorch import Vision, unit


class System:
    def __init__(self, setup, tensors, _learned):
        self.vision = Vision(setup, tensors)
        self.method = setup["method"]
        self.texts = unit(tensors.make_pair(setup))
        self.windows = []  # of each side [windows, 1 + side^2] rows of tokens
        height, width = self.vision.grid
        for side in self.method["windowSides"]:
            rows = [
                [0] + [1 + (top + y) * width + left + x for y in range(side) for x in range(side)]
                for top in range(height - side + 1)
                for left in range(width - side + 1)
            ]
            self.windows.append(torch.tensor(rows, device=self.texts.device))

    def normal(self, features):  # [n, C] -> [n]
        return torch.softmax(features @ self.texts.T / self.method["temperature"], -1)[:, 0]

    def finished(self, mean):  # of 1/p over windows and sides, [cells]
        cells = 1 - 1 / mean
        if self.method["compat"]["halvedMap"]:
            cells = cells / 2
        side = self.method["mapSide"]
        cells = cells.reshape(1, 1, *self.vision.grid)
        anomaly_map = F.interpolate(cells, (side, side), mode="bilinear", align_corners=False)[0]
        return anomaly_map.max().reshape(1), anomaly_map

    def authors(self, picture):
        """One window after the other."""
        vision = self.vision
        rows = vision.rows(picture)
        count = rows.shape[1] - 1
        means = []
        for windows in self.windows:
            inverse, covered = rows.new_zeros(count), rows.new_zeros(count)
            for window in windows:
                x = vision.layer_norm(rows[:, window], vision.ln_pre).transpose(0, 1)
                for block in vision.blocks:
                    x = vision.mha(block, x)
                p = self.normal(unit(vision.joint(x[0])))
                inverse[window[1:] - 1] += 1 / p
                covered[window[1:] - 1] += 1
            means.append(inverse / covered)
        return self.finished(sum(means) / len(means))

    def batched(self, picture):
        """All windows of a side at once, and of the last block their class tokens alone."""
        vision = self.vision
        rows = vision.embed(picture)[0]
        count = rows.shape[0] - 1
        means = []
        for windows in self.windows:
            x = rows[windows]
            for block in vision.blocks[:-1]:
                x = vision.plain(block, x)
            x = vision.plain(vision.blocks[-1], x, only_class=True)
            p = self.normal(unit(vision.joint(x[:, 0])))
            cells = (windows[:, 1:] - 1).flatten()
            inverse, covered = rows.new_zeros(count), rows.new_zeros(count)
            inverse.index_add_(0, cells, (1 / p).repeat_interleave(windows.shape[1] - 1))
            covered.index_add_(0, cells, torch.ones_like(cells, dtype=rows.dtype))
            means.append(inverse / covered)
        return self.finished(sum(means) / len(means))
