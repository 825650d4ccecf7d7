// A pickle as data. Nothing is imported, called or built: a fixed list of opcodes of protocol 2 is read into
// a graph of plain values, and the few globals that stand for tensors are recognised by name. Any other
// opcode or global ends the reading with its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weights/tensor_view.h"

namespace crane::weights {

// A tensor as the pickle describes it; nothing has been compared with the storage yet.
struct PickledTensor {
  DType dtype = DType::f32;
  std::string storage_key;  // names the archive member data/KEY
  int64_t storage_numel = 0;
  int64_t offset = 0;  // in items
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in items, as long as shape
};

using PickleId = uint32_t;

struct PickleValue {
  enum class Kind : uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    list,
    tuple,
    dict,
    global,
    object,
    storage,
    tensor
  };

  Kind kind = Kind::none;
  // boolean: 0 or 1. storage and tensor: index into Pickle::tensors
  int64_t integer = 0;
  double real = 0;
  // text: UTF-8. global: "module name". object: name of its class
  std::string text;
  // list, tuple: items. dict: key, value, key, value, ... object: its state, once BUILD gave it one
  std::vector<PickleId> items;
};

// Values refer to each other by index and may form cycles: whoever walks them bounds depth and steps.
struct Pickle {
  std::vector<PickleValue> values;
  std::vector<PickledTensor> tensors;
  PickleId root = 0;

  const PickleValue& at(PickleId id) const { return values[id]; }
};

enum class PickleDialect {
  torch_save,   // OrderedDict, tensors, parameters
  torchscript,  // also objects of serialized classes (__torch__.*) and the typed lists of TorchScript's
                // pickler
};

// `where` begins each message. Errors: E_WEIGHTS_PICKLE, E_WEIGHTS_DTYPE (a storage type that is not read).
Pickle read_pickle(std::span<const std::byte> bytes, PickleDialect dialect, const std::string& where);

}  // namespace crane::weights
