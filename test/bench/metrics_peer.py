"""The same metrics by the usual Python tools, timed: called by metrics.mjs with one JSON argument.

Needs torch, torchmetrics, scikit-learn, scikit-image. AUPRO is written plainly: 200 thresholds, regions labelled once.
"""

import json
import sys
import time

import numpy as np
import skimage
import sklearn
import torch
import torchmetrics
from skimage import measure
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score


def best_f1(labels, scores):
    precision, recall, _ = precision_recall_curve(labels, scores)
    return float(np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-300)))


def aupro(masks, maps, limit=0.3, steps=200):
    regions = [
        (index, region.coords[:, 0], region.coords[:, 1])
        for index, mask in enumerate(masks)
        for region in measure.regionprops(measure.label(mask, connectivity=2))
    ]
    normal = masks == 0
    low, high = float(maps.min()), float(maps.max())
    rates, overlaps = [], []
    for threshold in np.arange(low, high, (high - low) / steps):
        above = maps > np.float32(threshold)
        overlaps.append(np.mean([above[index, ys, xs].mean() for index, ys, xs in regions]))
        rates.append(np.count_nonzero(above & normal) / np.count_nonzero(normal))
    rates, overlaps = np.array(rates), np.array(overlaps)
    kept = rates < limit
    rates, overlaps = rates[kept], overlaps[kept]
    rates = (rates - rates.min()) / (rates.max() - rates.min())
    return float(auc(rates, overlaps))


def main():
    job = json.loads(sys.argv[1])
    shape = (job["count"], job["height"], job["width"])
    seconds, values = [], {}
    for _ in range(job["runs"]):
        times = {}
        cpu_begun = time.process_time()

        def timed(tool, name, compute):
            begun = time.perf_counter()
            values[name] = float(compute())
            times[tool] = times.get(tool, 0.0) + time.perf_counter() - begun

        begun = time.perf_counter()
        maps = np.fromfile(job["maps"]["path"], "<f4", np.prod(shape), offset=job["maps"]["offset"]).reshape(shape)
        masks = np.fromfile(job["masks"]["path"], "u1", np.prod(shape), offset=job["masks"]["offset"]).reshape(shape)
        times["reading"] = time.perf_counter() - begun
        scores, labels = np.array(job["scores"]), np.array(job["labels"])
        flat_maps, flat_masks = maps.ravel(), masks.ravel()

        timed("scikit-learn image metrics", "image-auroc", lambda: roc_auc_score(labels, scores))
        timed("scikit-learn image metrics", "image-ap", lambda: average_precision_score(labels, scores))
        timed("scikit-learn image metrics", "image-f1", lambda: best_f1(labels, scores))
        timed(
            "torchmetrics pixel AUROC",
            "pixel-auroc",
            lambda: torchmetrics.functional.classification.binary_auroc(
                torch.from_numpy(flat_maps), torch.from_numpy(flat_masks.astype(np.int64))
            ),
        )
        timed("scikit-learn pixel AP", "pixel-ap", lambda: average_precision_score(flat_masks, flat_maps))
        timed("scikit-learn pixel F1max", "pixel-f1", lambda: best_f1(flat_masks, flat_maps))
        timed("AUPRO, 200 thresholds, scikit-image regions", "pixel-aupro", lambda: aupro(masks, maps))
        times["total"] = sum(times.values())
        times["totalCpu"] = time.process_time() - cpu_begun
        seconds.append(times)
    versions = (
        f"Python {sys.version.split()[0]}, torch {torch.__version__}, torchmetrics {torchmetrics.__version__}, "
        f"scikit-learn {sklearn.__version__}, scikit-image {skimage.__version__}, {torch.get_num_threads()} torch threads"
    )
    print(json.dumps({"runs": seconds, "values": values, "versions": versions}))


main()
