"""Judges scores and maps of a few good pictures by a slow NumPy version in float64 (docs/methods/normals.md 2, 6 and 7, docs/methods/both.md).

One picture against a bank:

    crane-native normals learn GOOD --out bank.safetensors
    crane-native normals learn PART --turns 1 --out part.safetensors
    crane-native score PART --normals bank.safetensors --sigma 0 --maps npy --map-size model --out scored
    python scripts/judge-normals.py bank bank.safetensors part.safetensors scored/results.jsonl scored

A bank of the foreground, of which also is judged that it holds of each picture what the upright copy's foreground is:

    crane-native normals learn GOOD --bank-foreground --out bank.safetensors
    crane-native normals learn PART --turns 1 --out part.safetensors
    crane-native score PART --normals bank.safetensors --sigma 0 --maps npy --map-size model --out scored
    python scripts/judge-normals.py foreground bank.safetensors part.safetensors scored/results.jsonl scored

Prompts beside it, whose own maps of the part and of the bank's pictures are taken as they are:

    crane-native normals learn GOOD --evidence both --out bank.safetensors
    crane-native score PART --normals bank.safetensors --evidence both --sigma 0 --maps npy --map-size model --out scored
    crane-native score PART GOOD --evidence prompts --sigma 0 --maps npy --map-size model --out prompts
    python scripts/judge-normals.py both bank.safetensors part.safetensors scored/results.jsonl scored prompts/results.jsonl prompts

Pictures by each other:

    crane-native normals learn PICTURES --turns 1 --out all.safetensors
    crane-native score PICTURES --mutual --mutual-neighbourhoods 1,3 --sigma 0 --maps npy --map-size model --out scored
    python scripts/judge-normals.py mutual all.safetensors scored/results.jsonl scored 1,3 0.3
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np

MOST = 1e-5
LEFT_OUT = {}
TOP_SHARE = 0.005
NEIGHBOURS = 2
BORDER, APART, PART = 0.9, 0.85, 0.05
MAP_WEIGHT, SCORE_WEIGHT, LEAST_SPREAD = 4, 1, 0.05


def tensors(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        data = file.read()
    kinds = {"F32": np.float32, "I64": np.int64}
    found = {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }
    names = [each["name"] for each in json.loads(header["__metadata__"]["crane.normals.facts"])["pictures"]]
    return found, names


def results(lines, folder):
    """By input: its score, and its map as the engine wrote it."""
    found = {}
    with open(lines, encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            found[one["input"]] = (one["score"], np.load(Path(folder) / one["map"]).astype(np.float64))
            LEFT_OUT[one["input"]] = one.get("backgroundPatches")
    return found


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


def top_mean(values):
    return np.sort(values, axis=None)[-max(1, int(np.floor(TOP_SHARE * values.size))) :].mean()


def pictures_of(bank):
    starts = bank["starts"]
    return [bank["rows"][a:b].astype(np.float64) for a, b in zip(starts[:-1], starts[1:])]


def distances(rows, others, count):
    """Mean over the `count` nearest of the others of half of what is missing to the largest cosine."""
    nearest = np.stack([(rows @ other.T).max(1) for other in others])
    return np.clip((1 - np.sort(nearest, axis=0)[-count:].mean(0)) / 2, 0, 1)


def against_bank(rows, others, of_bank, grid, size):
    """of_bank: pictures of the whole bank, of which the nearest count unless one is itself left out."""
    far = distances(rows, others, max(1, min(NEIGHBOURS, of_bank - 1)))
    return top_mean(far), upsampled(far.reshape(grid), *size)


def pooled(rows, grid, side):
    cells = rows.reshape(-1, *grid, rows.shape[1])
    found = np.zeros_like(cells)
    reach = side // 2
    for y in range(grid[0]):
        for x in range(grid[1]):
            around = cells[:, max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
            found[:, y, x] = around.mean((1, 2))
    found = found.reshape(rows.shape)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def judge_bank(bank_path, part_path, lines, folder):
    (bank, _), (part, names) = tensors(bank_path), tensors(part_path)
    score, found = results(lines, folder)[names[0]]
    others = pictures_of(bank)
    wanted = against_bank(part["rows"].astype(np.float64), others, len(others), part["grid"], found.shape)
    return [(names[0], score, found, *wanted)]


def beside(cells, corners):
    """True where a cell or one beside it is."""
    height, width = cells.shape
    around = np.pad(cells, 1)
    found = cells.copy()
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if abs(dy) + abs(dx) == 1 or (corners and abs(dy) + abs(dx) == 2):
                found |= around[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
    return found


def foreground(rows, grid):
    """Which patches of a picture are kept."""
    whole = np.ones(len(rows), bool)
    off = rows - rows.mean(0)
    along = off @ np.linalg.svd(off, full_matrices=False)[2][0]
    best, cut = 0.0, None
    for value in np.unique(along)[:-1]:
        lower = along <= value
        share = lower.mean()
        between = share * (1 - share) * (along[lower].mean() - along[~lower].mean()) ** 2
        if between > best:
            best, cut = between, value
    if cut is None or best < APART * along.var():
        return whole
    upper = (along > cut).reshape(grid)
    border = np.zeros(grid, bool)
    border[[0, -1], :] = border[:, [0, -1]] = True
    of_border = upper[border].mean()
    if max(of_border, 1 - of_border) < BORDER:
        return whole
    part = upper if of_border >= 0.5 else ~upper
    background = part & border
    while True:
        more = beside(background, corners=False) & part
        if (more == background).all():
            break
        background = more
    kept = beside(~background, corners=True).ravel()
    left_out = 1 - kept.mean()
    return kept if PART <= left_out <= 1 - PART else whole


def judge_foreground(bank_path, part_path, lines, folder):
    (bank, _), (part, names) = tensors(bank_path), tensors(part_path)
    score, found = results(lines, folder)[names[0]]
    grid, patches = bank["grid"], int(np.prod(bank["grid"]))
    starts = bank["chosen_starts"]
    others = [bank["chosen"][a:b].astype(np.float64) for a, b in zip(starts[:-1], starts[1:])]
    for i, of in enumerate(others):
        upright = bank["rows"][i * patches : (i + 1) * patches].astype(np.float64)
        own = upright[foreground(upright, grid)]
        if not np.array_equal(own, of[: len(own)]):
            sys.exit(f"differs: good picture {i} has {len(own)} patches of the foreground, and the bank holds others")
    rows = part["rows"].astype(np.float64)
    kept = foreground(rows, grid)
    if LEFT_OUT[names[0]] != len(kept) - kept.sum():
        sys.exit(f"differs: {len(kept) - kept.sum()} patches are background, and the result says {LEFT_OUT[names[0]]}")
    far = np.zeros(len(rows))
    far[kept] = distances(rows[kept], others, max(1, min(NEIGHBOURS, len(others) - 1)))
    return [(names[0], score, found, top_mean(far), upsampled(far.reshape(grid), *found.shape))]


def judge_both(bank_path, part_path, lines, folder, prompt_lines, prompt_folder):
    (bank, good), (part, names) = tensors(bank_path), tensors(part_path)
    score, found = results(lines, folder)[names[0]]
    prompts = results(prompt_lines, prompt_folder)
    others = pictures_of(bank)
    grid, patches = bank["grid"], int(np.prod(bank["grid"]))
    own = [
        against_bank(of[:patches], others[:i] + others[i + 1 :], len(others), grid, found.shape)[1]
        for i, of in enumerate(others)
    ]
    t = np.std(own)
    spread = np.hypot(np.std([prompts[name][1] for name in good]), LEAST_SPREAD)
    far, far_map = against_bank(part["rows"].astype(np.float64), others, len(others), grid, found.shape)
    probable = prompts[names[0]][1]

    def share(weight):
        return weight * t / (weight * t + spread)

    wanted_map = share(MAP_WEIGHT) * probable + (1 - share(MAP_WEIGHT)) * far_map
    wanted = share(SCORE_WEIGHT) * top_mean(probable) + (1 - share(SCORE_WEIGHT)) * far
    return [(names[0], score, found, wanted, wanted_map)]


def judge_mutual(all_path, lines, folder, sides="1", share="0.3"):
    bank, names = tensors(all_path)
    scored = results(lines, folder)
    rows, grid = pictures_of(bank), bank["grid"]
    count = max(1, int(np.floor(float(share) * (len(rows) - 1) + 0.5)))
    sides = [int(side) for side in sides.split(",")]
    far = np.zeros((len(rows), int(np.prod(grid))))
    for side in sides:
        of_side = [pooled(each, grid, side) for each in rows]
        for i, each in enumerate(of_side):
            far[i] += distances(each, of_side[:i] + of_side[i + 1 :], count) / len(sides)
    return [
        (name, *scored[name], top_mean(own), upsampled(own.reshape(grid), *scored[name][1].shape))
        for name, own in zip(names, far)
    ]


def main():
    kinds = {"bank": judge_bank, "foreground": judge_foreground, "both": judge_both, "mutual": judge_mutual}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    is_off = False
    for name, score, found, wanted, wanted_map in kinds[sys.argv[1]](*sys.argv[2:]):
        of_score, of_map = abs(score - wanted), np.abs(found - wanted_map).max()
        is_off = is_off or not (of_score <= MOST and of_map <= MOST)
        print(f"{name}: score {score:.9f}, off by {of_score:.1e}; map off by at most {of_map:.1e}")
    if is_off:
        sys.exit(f"differs by more than {MOST}")


main()
