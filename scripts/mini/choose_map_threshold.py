# Chooses mapThreshold on the learned pictures: python choose_map_threshold.py MODEL_FOLDER CACHE_FOLDER DATA_ROOT
"""The threshold, in steps of 0.01, with the largest pixel F1, mean over the three learned sets; the demo's sample
pictures take no part. The figure serves to draw regions; it is measured where the prompts were learned."""

import argparse

import numpy as np
import torch
from safetensors.torch import load_file

from datasets import SHIPPED_SETS, read_set, sample_pictures
from tower import Text, load_weights, score


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("model", "cache", "data"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        text = Text(load_weights(arguments.model))(load_file(f"{arguments.model}/prompts.safetensors"))[0]
    samples = {picture.path for picture in sample_pictures(arguments.data)}
    thresholds = np.arange(1, 100) / 100
    curves, normal_peaks = [], []
    for name in SHIPPED_SETS:
        stored = load_file(f"{arguments.cache}/{name}.safetensors")
        hits, flagged, wanted, peaks = np.zeros(99), np.zeros(99), 0, []
        for i, picture in enumerate(read_set(arguments.data, name)):
            if picture.path in samples:
                continue
            smooth = score(stored["cls"][i], stored["patch"][i], text)[0].numpy()
            mask = stored["mask"][i].numpy() > 0
            hits += [(smooth[mask] >= threshold).sum() for threshold in thresholds]
            flagged += [(smooth >= threshold).sum() for threshold in thresholds]
            wanted += mask.sum()
            if not picture.anomalous:
                peaks.append(float(smooth.max()))
        f1 = 2 * hits / (flagged + wanted)
        curves.append(f1)
        normal_peaks.append(np.array(peaks))
        print(f"{name}: best {thresholds[f1.argmax()]:.2f}, F1 {f1.max():.3f}", flush=True)
    mean = np.mean(curves, 0)
    best = int(mean.argmax())
    print(f"mapThreshold {thresholds[best]:.2f}: F1 {mean[best]:.3f} ({', '.join(f'{c[best]:.3f}' for c in curves)})")
    alarms = [f"{(peaks >= thresholds[best]).sum()} of {len(peaks)}" for peaks in normal_peaks]
    print(f"normal pictures with a region: {', '.join(alarms)}")


if __name__ == "__main__":
    main()
