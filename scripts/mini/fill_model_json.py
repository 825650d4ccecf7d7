# Brings model.json up to date: python fill_model_json.py MODEL_FOLDER [--map-threshold X]
"""Fills in sizes and checksums of the weights and prompts, the threshold and the golden score. All else is written by
hand, the recipe of the text tower too. --map-threshold: what choose_map_threshold.py found."""

import argparse
import hashlib
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tower import Text, Vision, load_picture, load_weights, score

LINE = 110  # columns


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def golden_score(folder: Path, picture: str) -> float:
    weights = load_weights(folder)
    with torch.inference_mode():
        features = Vision(weights)(load_picture(str(folder / picture)))
        text = Text(weights)(load_file(folder / "prompts.safetensors"))[0]
        cls, patch = (F.normalize(features[key][0], dim=-1) for key in ("cls_raw", "patch_raw"))
        return float(score(cls, patch, text)[0].max())


def written(value: object, before: int = 0, depth: int = 0) -> str:
    """JSON in which whatever fits into a line stands in one. before: columns taken in its first line."""
    flat = json.dumps(value)
    if isinstance(value, dict) and value:
        flat = "{ " + flat[1:-1] + " }"
    fits = before + len(flat) < LINE
    if not isinstance(value, (dict, list)) or not value or (depth > 0 and fits):
        return flat
    pad = "  " * (depth + 1)
    if isinstance(value, dict):
        keys = [f"{json.dumps(key)}: " for key in value]
        items = [key + written(item, len(pad + key), depth + 1) for key, item in zip(keys, value.values())]
    else:
        items = [written(item, len(pad), depth + 1) for item in value]
    first, last = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return f"{first}\n{pad}" + f",\n{pad}".join(items) + f"\n{pad[2:]}{last}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--map-threshold", type=float)
    arguments = parser.parse_args()
    folder = arguments.folder
    torch.set_num_threads(1)
    model = json.loads((folder / "model.json").read_text())
    for part in model["weights"]:
        part |= {"sha256": sha256(folder / part["file"]), "bytes": (folder / part["file"]).stat().st_size}
    for prompts in model["prompts"]["sets"].values():
        prompts["sha256"] = sha256(folder / prompts["file"])
    if arguments.map_threshold is not None:
        model["mapThreshold"] = arguments.map_threshold
    model["golden"]["score"] = round(golden_score(folder, model["golden"]["picture"]), 6)
    (folder / "model.json").write_text(written(model) + "\n")
    print(f"{folder / 'model.json'}: golden score {model['golden']['score']}")


if __name__ == "__main__":
    main()
