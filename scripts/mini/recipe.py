# Tensors that are a function of their names, as model.json describes them; imported by tower.py.
"""A tensor is named, has a shape, an exponent e and a base. seed = 32-bit FNV-1a of "salt:name"; the flat row-major
index i is mixed with it, all modulo 2^32, to k = 0 .. 1023; the value is base + (2k - 1023) / 1024 * 2^-e, exact in
float32. The engine makes the same numbers (native/weights/synth.h)."""

import numpy as np
import torch


def fnv1a(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    return value


def levels(salt: str, name: str, count: int) -> np.ndarray:
    """[count] of 2k - 1023, int32. numpy's uint32 arithmetic counts modulo 2^32."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(fnv1a(f"{salt}:{name}"))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return 2 * (x >> np.uint32(22)).astype(np.int32) - 1023


def make_tensor(row: dict, salt: str, name: str) -> torch.Tensor:
    """float32 of row["shape"]; int32 where row has values instead."""
    if "values" in row:
        return torch.tensor(row["values"], dtype=torch.int32)
    base = np.float32(row.get("base", 0))
    if "exponent" not in row:
        return torch.full(row["shape"], float(base))
    values = base + levels(salt, name, int(np.prod(row["shape"]))) * np.float32(2.0 ** (-10 - row["exponent"]))
    return torch.from_numpy(values.astype(np.float32)).view(row["shape"])


def make_tensors(recipe: dict, salt: str) -> dict[str, torch.Tensor]:
    """All tensors of one entry of model.json's "recipes". '#' in a name stands for the block numbers 0, 1, ..."""
    tensors = {}
    for row in recipe["tensors"]:
        numbers = range(recipe["blocks"]) if "#" in row["name"] else [0]
        for name in (row["name"].replace("#", str(n)) for n in numbers):
            tensors[name] = make_tensor(row, salt, name)
    return tensors
