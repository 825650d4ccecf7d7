# Reads data sets in the reference's meta.json form; imported by the other scripts here.

import json
from dataclasses import dataclass
from pathlib import Path

SHIPPED_SETS = ("bsdata", "solar_el", "coffee_leaf")


@dataclass(frozen=True)
class Picture:
    set: str
    path: str
    mask: str | None
    kind: str
    anomalous: bool

    @property
    def name(self) -> str:
        """For instance bsdata-pitting-p00."""
        return f"{self.set}-{self.kind}-{Path(self.path).stem}"


def read_set(root: str, name: str) -> list[Picture]:
    """All pictures of one set, in the order of its meta.json."""
    folder = Path(root) / name
    classes = json.loads((folder / "meta.json").read_text())["test"]
    return [
        Picture(
            set=name,
            path=str(folder / row["img_path"]),
            mask=str(folder / row["mask_path"]) if row["mask_path"] else None,
            kind=row["specie_name"],
            anomalous=bool(row["anomaly"]),
        )
        for rows in classes.values()
        for row in rows
    ]


def sample_pictures(root: str) -> list[Picture]:
    """The pictures of the demo: of each shipped set the first listed picture of every kind, "good" included.
    A rule without any look at a score; they are left out of the training of the shipped prompts."""
    samples = []
    for name in SHIPPED_SETS:
        first_of_kind: dict[str, Picture] = {}
        for picture in read_set(root, name):
            first_of_kind.setdefault(picture.kind, picture)
        samples += first_of_kind.values()
    return samples
