"""What torch.load(weights_only=True) makes of a checkpoint, by Python's own unpickler: callables and opcodes that its
allow-list has, and no torch. One JSON object on stdout: name -> dtype, shape, sha256; nested names joined by a dot."""

import collections
import hashlib
import json
import pickle
import pickletools
import sys
import zipfile

SIZES = {"FloatStorage": ("F32", 4), "IntStorage": ("I32", 4)}
# Those of torch/_weights_only_unpickler.py.
OPCODES = set(
    """PROTO MARK EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWFALSE NEWTRUE BININT
    BININT1 BININT2 BINFLOAT BINUNICODE SHORT_BINSTRING LONG1 GLOBAL REDUCE NEWOBJ BUILD APPEND APPENDS SETITEM SETITEMS
    BINPERSID BINPUT LONG_BINPUT BINGET LONG_BINGET STOP""".split()
)


class Storage(str):
    """Stands for a storage class, which a pickle names and never calls."""


def rebuilt(storage, offset, shape, stride, requires_grad, hooks):
    dtype, size, data = storage
    count = 1
    for axis, step in zip(reversed(shape), reversed(stride)):
        if axis > 1 and step != count:
            raise ValueError(f"strides {stride} of {shape}")
        count *= axis
    if requires_grad or hooks or offset < 0 or (offset + count) * size > len(data):
        raise ValueError("a tensor outside of its storage, or with a gradient")
    own = data[offset * size : (offset + count) * size]
    return {"dtype": dtype, "shape": list(shape), "sha256": hashlib.sha256(own).hexdigest()}


class Restricted(pickle.Unpickler):
    def __init__(self, file, archive, prefix):
        super().__init__(file, encoding="utf-8")
        self.archive, self.prefix = archive, prefix

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuilt
        if module == "torch" and name in SIZES:
            return Storage(name)
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")

    def persistent_load(self, pid):
        kind, storage, key, location, count = pid
        if kind != "storage" or location != "cpu":
            raise pickle.UnpicklingError(f"persistent id {pid}")
        dtype, size = SIZES[storage]
        data = self.archive.read(f"{self.prefix}/data/{key}")
        if len(data) != count * size:
            raise ValueError(f"storage {key} has {len(data)} bytes, {count * size} are promised")
        return dtype, size, data


def flat(value, name=""):
    if "sha256" in value:
        yield name, value
        return
    for key, inner in value.items():
        yield from flat(inner, f"{name}.{key}" if name else key)


with zipfile.ZipFile(sys.argv[1]) as archive:
    if archive.testzip() is not None:
        raise ValueError(f"{archive.testzip()}: not its checksum")
    prefix = archive.namelist()[0].split("/")[0]
    if archive.read(f"{prefix}/version").strip() != b"3" or archive.read(f"{prefix}/byteorder") != b"little":
        raise ValueError("another version or byte order")
    pickled = archive.read(f"{prefix}/data.pkl")
    unknown = {code.name for code, _, _ in pickletools.genops(pickled)} - OPCODES
    if unknown:
        raise ValueError(f"opcodes {sorted(unknown)}")
    with archive.open(f"{prefix}/data.pkl") as file:
        print(json.dumps(dict(flat(Restricted(file, archive, prefix).load()))))
