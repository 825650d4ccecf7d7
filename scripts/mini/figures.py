# Detection figures over one data set, exact; imported by evaluate.py.
"""Scores may tie: every distinct value is one threshold, positive at or above it."""

import numpy as np
from scipy.ndimage import label

EIGHT_CONNECTED = np.ones((3, 3), int)


def at_distinct(values: np.ndarray, *weights: np.ndarray) -> list[np.ndarray]:
    """Running sums of each weight down the sorted values, read at every distinct value; the values come last."""
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    return [np.cumsum(w[order], dtype=np.float64)[last] for w in weights] + [ordered[last]]


def auroc(values: np.ndarray, positive: np.ndarray) -> float:
    true, false, _ = at_distinct(values, positive, ~positive)
    return float(np.trapezoid(np.append(0, true) / true[-1], np.append(0, false) / false[-1]))


def pixel_figures(maps: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """maps, masks [n, H, W]: pixel AUROC, average precision, AUPRO to a rate of 0.3, best F1 and its threshold."""
    overlap = np.zeros(maps.shape)  # what each pixel adds to the mean overlap over regions
    regions = 0
    for i, mask in enumerate(masks):
        labels, count = label(mask, EIGHT_CONNECTED)
        sizes = np.bincount(labels.ravel())
        overlap[i][mask > 0] = 1 / sizes[labels[mask > 0]]
        regions += count
    positive = masks.ravel() > 0
    true, false, covered, thresholds = at_distinct(maps.ravel(), positive, ~positive, overlap.ravel())
    recall, rate, pro = true / true[-1], false / false[-1], covered / regions
    precision = true / (true + false)
    best = np.argmax(2 * precision * recall / (precision + recall + 1e-12))
    limit = 0.3
    x, y = np.append(0, rate), np.append(0, pro)
    inside = x < limit
    x, y = np.append(x[inside], limit), np.append(y[inside], np.interp(limit, x, y))
    return {
        "pixel_auroc": float(np.trapezoid(np.append(0, recall), np.append(0, rate))),
        "pixel_ap": float(np.sum(np.diff(np.append(0, recall)) * precision)),
        "pro": float(np.trapezoid(y, x) / limit),
        "f1": float(2 * precision[best] * recall[best] / (precision[best] + recall[best])),
        "threshold": float(thresholds[best]),
    }
