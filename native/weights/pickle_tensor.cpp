#include "weights/pickle_tensor.h"

#include "core/error.h"

namespace crane::weights {

namespace {

constexpr size_t k_max_rank = 16;
constexpr size_t k_max_key_bytes = 64;  // keys are small numbers; long ones would be copied into every tensor

struct KnownGlobal {
  std::string_view name;
  PickleGlobal what;
  bool script_only;
};

constexpr KnownGlobal k_known_globals[] = {
    {"collections OrderedDict", PickleGlobal::ordered_dict, false},
    {"torch._utils _rebuild_tensor_v2", PickleGlobal::rebuild_tensor, false},
    {"torch._utils _rebuild_parameter", PickleGlobal::rebuild_parameter, false},
    {"torch.jit._pickle build_intlist", PickleGlobal::typed_list, true},
    {"torch.jit._pickle build_doublelist", PickleGlobal::typed_list, true},
    {"torch.jit._pickle build_boollist", PickleGlobal::typed_list, true},
    {"torch.jit._pickle build_tensorlist", PickleGlobal::typed_list, true},
    {"torch.jit._pickle restore_type_tag", PickleGlobal::type_tag, true},
};

struct KnownStorage {
  std::string_view name;
  DType dtype;
};

constexpr KnownStorage k_known_storages[] = {
    {"torch HalfStorage", DType::f16},  {"torch BFloat16Storage", DType::bf16},
    {"torch FloatStorage", DType::f32}, {"torch DoubleStorage", DType::f64},
    {"torch ByteStorage", DType::u8},   {"torch CharStorage", DType::i8},
    {"torch ShortStorage", DType::i16}, {"torch IntStorage", DType::i32},
    {"torch LongStorage", DType::i64},  {"torch BoolStorage", DType::boolean},
};

bool is_storage_name(std::string_view global) {
  return global.starts_with("torch ") && global.ends_with("Storage");
}

using Kind = PickleValue::Kind;

int64_t whole_number(const Pickle& pickle, PickleId id, const std::string& where, const char* what) {
  const PickleValue& value = pickle.at(id);
  check_input(value.kind == Kind::integer && value.integer >= 0, "E_WEIGHTS_PICKLE", where, ": ", what,
              " is not a whole number");
  return value.integer;
}

std::vector<int64_t> whole_numbers(const Pickle& pickle, PickleId id, const std::string& where,
                                   const char* what) {
  const PickleValue& value = pickle.at(id);
  check_input(value.kind == Kind::tuple, "E_WEIGHTS_PICKLE", where, ": ", what, " is not a tuple");
  check_input(value.items.size() <= k_max_rank, "E_WEIGHTS_SHAPE", where, ": ", what, " has ",
              value.items.size(), " axes, expected at most ", k_max_rank);
  std::vector<int64_t> numbers;
  numbers.reserve(value.items.size());
  for (const PickleId item : value.items) numbers.push_back(whole_number(pickle, item, where, what));
  return numbers;
}

}  // namespace

std::optional<PickleGlobal> known_global(std::string_view global, PickleDialect dialect) {
  const bool script = dialect == PickleDialect::torchscript;
  for (const KnownGlobal& known : k_known_globals) {
    if (global == known.name && (script || !known.script_only)) return known.what;
  }
  if (is_storage_name(global)) return PickleGlobal::storage;
  if (script && (global.starts_with("__torch__.") || global.starts_with("__torch__ "))) {
    return PickleGlobal::script_class;
  }
  return std::nullopt;
}

PickledTensor storage_of(const Pickle& pickle, PickleId persistent_id, const std::string& where) {
  const PickleValue& id = pickle.at(persistent_id);
  check_input(id.kind == Kind::tuple && id.items.size() == 5 && pickle.at(id.items[0]).kind == Kind::text &&
                  pickle.at(id.items[0]).text == "storage",
              "E_WEIGHTS_PICKLE", where,
              ": a persistent id that is not ('storage', type, key, location, size)");
  const PickleValue& type = pickle.at(id.items[1]);
  const PickleValue& key = pickle.at(id.items[2]);
  const PickleValue& location = pickle.at(id.items[3]);
  check_input(type.kind == Kind::global && is_storage_name(type.text), "E_WEIGHTS_PICKLE", where,
              ": the type of a storage is not a torch storage class");
  check_input(key.kind == Kind::text && !key.text.empty() && key.text.size() <= k_max_key_bytes &&
                  location.kind == Kind::text,
              "E_WEIGHTS_PICKLE", where, ": key and location of a storage are not short texts");
  PickledTensor storage;
  bool known = false;
  for (const KnownStorage& row : k_known_storages) {
    if (type.text != row.name) continue;
    storage.dtype = row.dtype;
    known = true;
  }
  check_input(known, "E_WEIGHTS_DTYPE", where, ": storage type ", quote_name(type.text), " is not read");
  storage.storage_key = key.text;
  storage.storage_numel = whole_number(pickle, id.items[4], where, "the size of a storage");
  return storage;
}

PickledTensor tensor_of(const Pickle& pickle, const PickleValue& arguments, const std::string& where) {
  const std::vector<PickleId>& items = arguments.items;
  // A seventh argument is the metadata of newer writers; it changes no value.
  check_input(arguments.kind == Kind::tuple && (items.size() == 6 || items.size() == 7), "E_WEIGHTS_PICKLE",
              where, ": _rebuild_tensor_v2 with ", items.size(), " arguments, expected 6");
  const PickleValue& storage = pickle.at(items[0]);
  check_input(storage.kind == Kind::storage, "E_WEIGHTS_PICKLE", where, ": a tensor without a storage");
  PickledTensor tensor = pickle.tensors[static_cast<size_t>(storage.integer)];
  tensor.offset = whole_number(pickle, items[1], where, "the offset of a tensor");
  tensor.shape = whole_numbers(pickle, items[2], where, "the shape of a tensor");
  tensor.strides = whole_numbers(pickle, items[3], where, "the strides of a tensor");
  check_input(tensor.shape.size() == tensor.strides.size(), "E_WEIGHTS_SHAPE", where, ": a tensor with ",
              tensor.shape.size(), " sizes and ", tensor.strides.size(), " strides");
  return tensor;
}

}  // namespace crane::weights
