#include "weights/torchscript.h"

#include <unordered_set>

#include "core/error.h"
#include "weights/pickle_leaves.h"

namespace crane::weights {

std::shared_ptr<const WeightFile> read_torchscript(TorchArchive& archive, std::shared_ptr<const void> owner) {
  using Kind = PickleValue::Kind;
  const std::string& path = archive.path();
  const Pickle pickle = archive.read_pickle(PickleDialect::torchscript);
  check_input(pickle.at(pickle.root).kind == Kind::object, "E_WEIGHTS_PICKLE", path,
              ": the root of the archive is not a module");
  auto file = std::make_shared<StoredWeights>(path, "torchscript", std::move(owner));
  std::unordered_set<std::string> seen;
  visit_leaves(pickle, path, [&](const std::string& name, const PickleValue& leaf) {
    switch (leaf.kind) {
      case Kind::tensor:
        check_input(seen.insert(name).second, "E_WEIGHTS_PICKLE", path, ": two tensors are named ",
                    quote_name(name));
        return archive.add_tensor(*file, name, pickle.tensors[static_cast<size_t>(leaf.integer)]);
      case Kind::integer:
      case Kind::real:
      case Kind::text:
        return file->add_note(name, leaf_text(leaf));
      default:
        return;  // training flags, hooks, absent parts
    }
  });
  archive.offer_checksums(*file);
  return file;
}

}  // namespace crane::weights
