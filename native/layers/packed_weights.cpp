#include "layers/packed_weights.h"

#include <ATen/ops/from_blob.h>

#include "core/error.h"
#include "weights/safetensors.h"

namespace crane::layers {
namespace {

// A change of how weights are packed must change this.
constexpr const char* k_format = "1";
constexpr int64_t k_alignment = 64;

std::optional<weights::DType> stored_type(at::ScalarType type) {
  if (type == at::kFloat) return weights::DType::f32;
  if (type == at::kBFloat16) return weights::DType::bf16;
  return std::nullopt;
}

std::shared_ptr<const weights::WeightFile> open_quietly(const std::string& path,
                                                        const std::string& identity) {
  try {
    auto file = weights::open_weights(path);
    const auto& facts = file->metadata();
    const auto says = [&](const char* key, const std::string& value) {
      const auto found = facts.find(key);
      return found != facts.end() && found->second == value;
    };
    return says("crane.packed", k_format) && says("crane.identity", identity) ? file : nullptr;
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

PackedWeights::PackedWeights(std::string path, std::string identity)
    : path_(std::move(path)), identity_(std::move(identity)), file_(open_quietly(path_, identity_)) {}

at::Tensor PackedWeights::find(const std::string& name, int64_t count, at::ScalarType type) const {
  const weights::TensorView* view = file_ ? file_->find(name) : nullptr;
  if (view == nullptr || view->shape != std::vector<int64_t>{count} || stored_type(type) != view->dtype ||
      reinterpret_cast<uintptr_t>(view->data) % k_alignment != 0) {
    return {};
  }
  // The pages are mapped for reading only, and nothing writes to packed weights.
  at::Tensor packed = at::from_blob(
      const_cast<std::byte*>(view->data), {count}, [file = file_](void*) {}, at::TensorOptions().dtype(type));
  found_[name] = packed;
  return packed;
}

void PackedWeights::keep(const std::string& name, const at::Tensor& packed) { kept_[name] = packed; }

bool PackedWeights::save(int64_t least_bytes) const {
  if (kept_.empty()) return false;
  std::map<std::string, at::Tensor> all = kept_;
  all.insert(found_.begin(), found_.end());
  std::vector<weights::SafetensorsEntry> entries;
  int64_t bytes = 0;
  for (const auto& [name, packed] : all) {
    const auto type = stored_type(packed.scalar_type());
    CRANE_CHECK_INVARIANT(type.has_value() && packed.dim() == 1, "packed weights of ", name);
    entries.push_back({name, *type, {packed.numel()}});
    bytes += packed.nbytes();
  }
  if (bytes < least_bytes) return false;
  weights::SafetensorsWriter writer(path_, entries,
                                    {{"crane.packed", k_format}, {"crane.identity", identity_}}, k_alignment);
  for (size_t i = 0; i < entries.size(); ++i) {
    const at::Tensor& packed = all.at(entries[i].name);
    writer.append(i, {static_cast<const std::byte*>(packed.const_data_ptr()), packed.nbytes()});
  }
  writer.finish();
  return true;
}

}  // namespace crane::layers
