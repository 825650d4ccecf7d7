# Copies the demo's pictures and masks: python pick_samples.py DATA_ROOT OUT_FOLDER

import argparse
import json
import shutil
from pathlib import Path

from datasets import sample_pictures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("out")
    arguments = parser.parse_args()
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for picture in sample_pictures(arguments.data):
        file = picture.name + Path(picture.path).suffix
        mask = f"{picture.name}_mask.png" if picture.mask else None
        shutil.copyfile(picture.path, out / file)
        if picture.mask and mask:
            shutil.copyfile(picture.mask, out / mask)
        facts = {"set": picture.set, "kind": picture.kind, "anomalous": picture.anomalous}
        rows.append({"picture": file, "mask": mask} | facts)
    (out / "samples.json").write_text(json.dumps(rows, indent=2) + "\n")
    print(f"{len(rows)} pictures in {out}")


if __name__ == "__main__":
    main()
