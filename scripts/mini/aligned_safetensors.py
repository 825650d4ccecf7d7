# Writes safetensors files whose bytes depend on the tensors alone; imported by the scripts that write the model.

import json
import struct
from pathlib import Path

import torch

ALIGNMENT = 64
DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.int32: "I32"}


def save_aligned(tensors: dict[str, torch.Tensor], path: str | Path, origin: str) -> None:
    """In the order given, without gaps (the format allows none). The header is filled with spaces up to a multiple of
    64 bytes, so every tensor lies at such a multiple where all sizes are multiples of 64."""
    header: dict[str, dict] = {"__metadata__": {"origin": origin}}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.contiguous().numpy().tobytes())
