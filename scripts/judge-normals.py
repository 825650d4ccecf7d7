"""Judges scores and maps of banks of normal pictures by a slow NumPy version in float64 (docs/methods/normals.md 2).

    crane-native normals learn GOOD --out bank.safetensors
    crane-native normals learn PART --turns 1 --out part.safetensors
    crane-native score PART --normals bank.safetensors --sigma 0 --maps npy --map-size model --out scored --format jsonl > part.jsonl
    python scripts/judge-normals.py bank.safetensors part.safetensors part.jsonl scored/PART.npy
"""

import json
import struct
import sys

import numpy as np

MOST = 1e-5


def tensors(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    kinds = {"F32": np.float32, "I64": np.int64}
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def upsampled(cells, height, width):
    """Bilinear, corners not aligned."""

    def weights(count, size):
        matrix = np.zeros((size, count))
        for i in range(size):
            at = max(0.0, (i + 0.5) * count / size - 0.5)
            low = min(int(at), count - 1)
            high = min(low + 1, count - 1)
            matrix[i, low] += 1 - (at - low)
            matrix[i, high] += at - low
        return matrix

    return weights(cells.shape[0], height) @ cells @ weights(cells.shape[1], width).T


def judged(bank, part, height, width, neighbours=2, top_share=0.005):
    rows = part["rows"].astype(np.float64)
    starts = bank["starts"]
    nearest = []
    for first, last in zip(starts[:-1], starts[1:]):
        nearest.append((rows @ bank["rows"][first:last].astype(np.float64).T).max(1))
    count = max(1, min(neighbours, len(nearest) - 1))
    cosines = np.sort(np.stack(nearest), axis=0)[-count:].mean(0)
    far = np.clip((1 - cosines) / 2, 0, 1)
    farthest = np.sort(far)[-max(1, int(np.floor(top_share * far.size))) :].mean()
    return farthest, upsampled(far.reshape(part["grid"]), height, width)


def main():
    bank, part = tensors(sys.argv[1]), tensors(sys.argv[2])
    with open(sys.argv[3], encoding="utf-8") as file:
        score = json.loads(file.readline())["score"]
    found = np.load(sys.argv[4]).astype(np.float64)
    wanted, wanted_map = judged(bank, part, *found.shape)
    of_score, of_map = abs(score - wanted), np.abs(found - wanted_map).max()
    print(f"score {score:.9f}, off by {of_score:.1e}; map off by at most {of_map:.1e}")
    if not (of_score <= MOST and of_map <= MOST):
        sys.exit(f"differs by more than {MOST}")


main()
