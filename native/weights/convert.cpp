#include "weights/convert.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "weights/half.h"
#include "weights/safetensors.h"
#include "weights/structure.h"

namespace crane::weights {

namespace {

bool holds_floats(const CanonicalTensor& tensor) { return is_floating(tensor.parts.front()->dtype); }

void narrow(const CanonicalTensor& tensor, const std::vector<float>& src, std::vector<std::byte>& dst) {
  static constexpr float k_f16_overflow = 65520.0f;  // from here on rounding gives infinity
  const auto large =
      std::find_if(src.begin(), src.end(), [](float value) { return std::fabs(value) >= k_f16_overflow; });
  if (large != src.end()) {
    throw Error("E_WEIGHTS_NONFINITE",
                join_text(tensor.where(), " holds ", *large, " at flat index ", large - src.begin(),
                          ", too large for f16"),
                "convert to f32 instead");
  }
  dst.resize(2 * src.size());
  f32_to_f16(src.data(), dst.data(), src.size());
}

}  // namespace

void convert_weights(const CanonicalWeights& weights, const std::string& output, DType dtype,
                     const std::map<std::string, std::string>& metadata) {
  check_input(dtype == DType::f32 || dtype == DType::f16, "E_USAGE",
              "weights are converted to f32 or f16, not ", dtype_name(dtype));
  check_structure(weights);
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, tensor] : weights.tensors) {
    entries.push_back({name, holds_floats(tensor) ? dtype : DType::i32, tensor.shape});
  }
  SafetensorsWriter writer(output, std::move(entries), metadata);
  std::vector<float> values;
  std::vector<std::byte> half;
  size_t n = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    const auto count = static_cast<size_t>(tensor.numel());
    if (!holds_floats(tensor)) {
      std::vector<int32_t> integers(count);
      read_i32(tensor, integers.data());
      writer.append(n++, std::as_bytes(std::span(integers)));
      continue;
    }
    values.resize(count);
    read_f32(tensor, values.data());
    if (dtype == DType::f16) {
      narrow(tensor, values, half);
      writer.append(n++, half);
    } else {
      writer.append(n++, std::as_bytes(std::span(values)));
    }
  }
  writer.finish();
}

void verify_weights(const std::shared_ptr<const WeightFile>& file) {
  file->verify_checksums();
  const CanonicalWeights weights = canonicalise({file});
  check_structure(weights);
  std::vector<float> values;
  for (const auto& [name, tensor] : weights.tensors) {
    if (!holds_floats(tensor)) continue;
    values.resize(static_cast<size_t>(tensor.numel()));
    read_f32(tensor, values.data());
  }
}

}  // namespace crane::weights
