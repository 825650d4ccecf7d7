// What the few known globals of a tensor pickle stand for, and tensors from the arguments they are called
// with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weights/pickle.h"

namespace crane::weights {

enum class PickleGlobal {
  ordered_dict,       // collections OrderedDict
  rebuild_tensor,     // torch._utils _rebuild_tensor_v2
  rebuild_parameter,  // torch._utils _rebuild_parameter
  storage,            // torch FloatStorage, ...
  script_class,       // __torch__.<anything>: a class of the archive, read as a bag of attributes
  typed_list,         // torch.jit._pickle build_intlist, ...: the list itself
  type_tag,           // torch.jit._pickle restore_type_tag: its first argument
};

// `global` is "module name". Nothing when the dialect does not know it.
std::optional<PickleGlobal> known_global(std::string_view global, PickleDialect dialect);

// From the tuple ('storage', storage class, key, location, number of items); the location (cpu, cuda:0, ...)
// does not matter for bytes in a file. Errors: E_WEIGHTS_PICKLE, E_WEIGHTS_DTYPE.
PickledTensor storage_of(const Pickle& pickle, PickleId persistent_id, const std::string& where);

// From the arguments (storage, offset, shape, strides, requires_grad, hooks). E_WEIGHTS_PICKLE,
// E_WEIGHTS_SHAPE.
PickledTensor tensor_of(const Pickle& pickle, const PickleValue& arguments, const std::string& where);

}  // namespace crane::weights
