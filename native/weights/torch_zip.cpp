#include "weights/torch_zip.h"

#include <unordered_set>

#include "core/error.h"
#include "weights/pickle_leaves.h"

namespace crane::weights {

std::shared_ptr<const WeightFile> read_torch_zip(TorchArchive& archive, std::shared_ptr<const void> owner) {
  using Kind = PickleValue::Kind;
  const std::string& path = archive.path();
  const Pickle pickle = archive.read_pickle(PickleDialect::torch_save);
  check_input(pickle.at(pickle.root).kind == Kind::dict, "E_WEIGHTS_PICKLE", path,
              ": the pickle is not a dictionary, expected a state_dict");
  auto file = std::make_shared<StoredWeights>(path, "torch-zip", std::move(owner));
  std::unordered_set<std::string> seen;
  visit_leaves(pickle, path, [&](const std::string& name, const PickleValue& leaf) {
    switch (leaf.kind) {
      case Kind::tensor:
        // {"a.b": t, "a": {"b": u}} has distinct keys but one name.
        check_input(seen.insert(name).second, "E_WEIGHTS_PICKLE", path, ": two tensors are named ",
                    quote_name(name));
        return archive.add_tensor(*file, name, pickle.tensors[static_cast<size_t>(leaf.integer)]);
      case Kind::storage:
      case Kind::global:
        throw Error("E_WEIGHTS_PICKLE", join_text(path, ": ", quote_name(name), " is not a tensor"));
      case Kind::none:
        return;
      default:
        return file->add_note(name, leaf_text(leaf));
    }
  });
  archive.offer_checksums(*file);
  return file;
}

}  // namespace crane::weights
