# Figures of the model card: python evaluate.py MODEL_FOLDER CACHE_FOLDER DATA_ROOT OUT.json [--starts 6]
"""Each set is tested with prompts that never saw it; every start is a text tower (a salt), prompts and an order of its
own, start 0 has the shipped tower and seed. Beside it: nearest patch of 4 normal pictures, and distance to the
picture's mean patch."""

import argparse
import json
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter

from datasets import SHIPPED_SETS, read_set, sample_pictures
from figures import auroc, pixel_figures
from learn_prompts import SEED, learn, load_examples
from tower import SIDE, SIGMA_PX, Tensors, Text, load_weights, score

TESTED = {
    "bsdata": ["solar_el", "coffee_leaf"],
    "solar_el": ["bsdata", "coffee_leaf"],
    "coffee_leaf": ["bsdata", "solar_el"],
    "breast_us": list(SHIPPED_SETS),  # never learned on and never shipped
}
DRAWS = 3  # of the 4 normal pictures
SHOWN = ("pixel_auroc", "pixel_ap", "pro", "image_auroc_max", "image_auroc_fused")


class Evaluation:
    def __init__(self, cache: str, data: str):
        self.cache, self.data = cache, data
        self.pictures = {name: read_set(data, name) for name in TESTED}

    def stored(self, name: str) -> Tensors:
        return load_file(f"{self.cache}/{name}.safetensors")

    def zero_shot(self, name: str, text: torch.Tensor, keep: list[int] | None = None) -> dict[str, float]:
        stored = self.stored(name)
        keep = list(range(len(stored["cls"]))) if keep is None else keep
        scored = [score(stored["cls"][i], stored["patch"][i], text) for i in keep]
        maps = np.stack([smooth.numpy() for smooth, _ in scored])
        anomalous = np.array([self.pictures[name][i].anomalous for i in keep])
        figures = pixel_figures(maps, stored["mask"][keep].numpy())
        peaks = maps.max((1, 2))
        normal, defect = peaks[~anomalous], peaks[anomalous]
        figures |= {"normal_median": float(np.median(normal)), "normal_highest": float(normal.max())}
        figures |= {"anomalous_median": float(np.median(defect)), "anomalous_lowest": float(defect.min())}
        figures["image_auroc_max"] = auroc(peaks, anomalous)
        figures["image_auroc_fused"] = auroc(np.array([fused for _, fused in scored]), anomalous)
        return figures

    def baseline(
        self, name: str, distance: Callable[[torch.Tensor], torch.Tensor], keep: list[int], sigma: float
    ) -> dict[str, float]:
        """distance: plain patches of block 8 [N, D] -> [N]"""
        stored = self.stored(name)
        maps = []
        for i in keep:
            cells = distance(stored["plain"][i]).view(1, 1, 32, 32)
            up = F.interpolate(cells, size=(SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0].numpy()
            maps.append(gaussian_filter(up, sigma) if sigma else up)
        values = np.stack(maps)
        anomalous = np.array([self.pictures[name][i].anomalous for i in keep])
        figures = pixel_figures(values, stored["mask"][keep].numpy())
        return figures | {"image_auroc_max": auroc(values.max((1, 2)), anomalous)}

    def nearest_patch(self, name: str, seed: int, sigma: float) -> dict[str, float]:
        pictures, plain = self.pictures[name], self.stored(name)["plain"]
        normal = [i for i, picture in enumerate(pictures) if not picture.anomalous]
        chosen = np.random.default_rng(seed).choice(normal, 4, replace=False).tolist()
        bank = plain[chosen].flatten(0, 1)  # [4 N, D]
        keep = [i for i in range(len(pictures)) if i not in chosen]
        return self.baseline(name, lambda patches: 1 - (patches @ bank.T).max(1).values, keep, sigma)

    def mean_patch(self, name: str) -> dict[str, float]:
        def distance(patches: torch.Tensor) -> torch.Tensor:
            return 1 - patches @ F.normalize(patches.mean(0), dim=0)

        return self.baseline(name, distance, list(range(len(self.pictures[name]))), 0)


def report(title: str, name: str, figures: dict[str, float]) -> dict:
    shown = " / ".join(f"{100 * figures[key]:.1f}" for key in SHOWN if key in figures)
    print(f"{title:22} {name:12} {shown}", flush=True)
    return {"title": title, "tested": name} | figures


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("model", "cache", "data", "out"):
        parser.add_argument(name)
    parser.add_argument("--starts", type=int, default=6)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    evaluation = Evaluation(arguments.cache, arguments.data)
    rows = []

    with torch.no_grad():
        text = Text(load_weights(arguments.model))(load_file(f"{arguments.model}/prompts.safetensors"))[0]
    samples = {picture.path for picture in sample_pictures(arguments.data)}
    for name in SHIPPED_SETS:  # learned sets: not zero-shot, used for mapThreshold only
        learned = [i for i, picture in enumerate(evaluation.pictures[name]) if picture.path not in samples]
        rows.append(report("shipped, learned", name, evaluation.zero_shot(name, text, learned)))
    rows.append(report("shipped", "breast_us", evaluation.zero_shot("breast_us", text)))

    for start in range(arguments.starts):
        weights = load_weights(arguments.model, start)
        for name, learned_on in TESTED.items():
            prompts = learn(weights, load_examples(arguments.cache, arguments.data, learned_on, set()), SEED + start)
            with torch.no_grad():
                text = Text(weights)(prompts)[0]
            rows.append(report(f"left out, start {start}", name, evaluation.zero_shot(name, text)))

    for draw in range(DRAWS):
        for sigma in (0, SIGMA_PX):
            for name in TESTED:
                figures = evaluation.nearest_patch(name, SEED + draw, sigma)
                rows.append(report(f"nearest, {draw}, sigma {sigma}", name, figures))
    for name in TESTED:
        rows.append(report("own mean patch", name, evaluation.mean_patch(name)))

    with open(arguments.out, "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
