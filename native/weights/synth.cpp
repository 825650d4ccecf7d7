#include "weights/synth.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "weights/half.h"
#include "weights/safetensors.h"
#include "weights/stored_weights.h"
#include "weights/utf8.h"

namespace crane::weights {

namespace {

constexpr uint32_t k_fnv_offset = 0x811c9dc5u;
constexpr uint32_t k_fnv_prime = 0x01000193u;
constexpr size_t k_piece = size_t{1} << 15;  // values at a time: 128 KiB of f32, which stays in the cache
constexpr int32_t k_exact_in_f32 = 1 << 24;  // whole numbers up to this one

uint32_t fnv1a(std::string_view text, uint32_t hash) noexcept {
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * k_fnv_prime;
  return hash;
}

// Integer arithmetic without branches: the compiler turns the loop into vector code.
void fill_recipe(uint32_t first, uint32_t seed, float base, float scale, size_t count, float* dst) noexcept {
  for (size_t i = 0; i < count; ++i) {
    uint32_t x = (first + static_cast<uint32_t>(i)) * 0x9e3779b1u + seed;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    const auto level = static_cast<int32_t>(x >> 22);  // 0 .. 1023
    dst[i] = base + static_cast<float>(2 * level - 1023) * scale;
  }
}

void scale_columns(const SynthTensor& tensor, uint64_t first, size_t count, float* dst) {
  const auto columns = static_cast<uint64_t>(tensor.shape.back());
  const auto from = static_cast<uint64_t>(*tensor.column_from);
  const auto scale = static_cast<float>(tensor.column_scale);
  for (size_t i = 0; i < count; ++i) {
    if ((first + i) % columns >= from) dst[i] *= scale;
  }
}

void check_tensor(const SynthTensor& tensor) {
  const auto check = [&](bool condition, const char* what) {
    check_input(condition, "E_USAGE", "synthetic tensor ", quote_name(tensor.name), ": ", what);
  };
  check(!tensor.name.empty() && is_utf8(tensor.name), "its name is empty or not UTF-8");
  check(checked_bytes(tensor.shape, DType::f64).has_value(), "its shape is larger than any file");
  check(tensor.dtype == DType::f32 || tensor.dtype == DType::f16 || tensor.dtype == DType::i32,
        "its type is not f32, f16 or i32");
  check(!tensor.exponent || (*tensor.exponent >= -64 && *tensor.exponent <= 64),
        "its exponent is not in -64 .. 64");
  check(std::isfinite(tensor.base) && std::isfinite(tensor.column_scale),
        "base or column scale is not finite");
  check(!tensor.column_from || (!tensor.shape.empty() && *tensor.column_from >= 0),
        "columns are scaled from a negative number, or of a scalar");
  if (tensor.values.empty()) return;
  check(tensor.dtype == DType::i32 && !tensor.exponent && !tensor.column_from,
        "values are given for another type than i32, or beside an exponent or a column scale");
  check(tensor.values.size() == *checked_bytes(tensor.shape, DType::u8),
        "it has more or fewer values than its shape holds");
  check(std::all_of(tensor.values.begin(), tensor.values.end(),
                    [](int32_t value) { return value >= -k_exact_in_f32 && value <= k_exact_in_f32; }),
        "a value is not in -2^24 .. 2^24");
}

void check_tensors(const std::vector<SynthTensor>& tensors) {
  std::map<std::string, int> seen;
  for (const SynthTensor& tensor : tensors) {
    check_tensor(tensor);
    check_input(seen[tensor.name]++ == 0, "E_USAGE", "synthetic tensor ", quote_name(tensor.name),
                " is there twice");
  }
}

// src converted to the tensor's type in `dst`, which has room for 4 bytes a value. Returns the bytes.
std::span<const std::byte> encode(const SynthTensor& tensor, const std::vector<float>& src, size_t count,
                                  std::vector<std::byte>& dst) {
  switch (tensor.dtype) {
    case DType::f16:
      f32_to_f16(src.data(), dst.data(), count);
      return std::span(dst).first(2 * count);
    case DType::i32: {
      auto* integers = reinterpret_cast<int32_t*>(dst.data());
      for (size_t i = 0; i < count; ++i) {
        if (src[i] != std::nearbyint(src[i]) || std::fabs(src[i]) > k_exact_in_f32) {
          throw Error("E_USAGE", join_text("synthetic tensor ", quote_name(tensor.name),
                                           ": its values are not whole numbers for i32"));
        }
        integers[i] = static_cast<int32_t>(src[i]);
      }
      return std::span(dst).first(4 * count);
    }
    default:
      return std::as_bytes(std::span(src).first(count));
  }
}

// The tensor's bytes in its own type, piece by piece and in order.
template <typename Sink>
void for_each_piece(const SynthTensor& tensor, Sink sink) {
  std::vector<float> values(k_piece);
  std::vector<std::byte> encoded(4 * k_piece);
  const uint64_t count = *checked_bytes(tensor.shape, DType::u8);
  for (uint64_t first = 0; first < count; first += k_piece) {
    const auto size = static_cast<size_t>(std::min<uint64_t>(k_piece, count - first));
    synth_values(tensor, first, size, values.data());
    sink(encode(tensor, values, size, encoded));
  }
}

}  // namespace

uint32_t synth_seed(std::string_view salt, std::string_view name) noexcept {
  return fnv1a(name, fnv1a(":", fnv1a(salt, k_fnv_offset)));
}

void synth_values(const SynthTensor& tensor, uint64_t first, size_t count, float* dst) {
  const auto base = static_cast<float>(tensor.base);
  if (!tensor.values.empty()) {
    std::copy_n(tensor.values.begin() + static_cast<ptrdiff_t>(first), count, dst);
  } else if (!tensor.exponent) {
    std::fill_n(dst, count, base);
  } else {
    // (2k - 1023) / 1024 * 2^-e; the index counts modulo 2^32 as the recipe says
    const float scale = std::ldexp(1.0f, -10 - *tensor.exponent);
    fill_recipe(static_cast<uint32_t>(first), synth_seed(tensor.salt, tensor.name), base, scale, count, dst);
  }
  if (tensor.column_from) scale_columns(tensor, first, count, dst);
}

std::shared_ptr<const WeightFile> synth_file(const std::string& path,
                                             const std::vector<SynthTensor>& tensors) {
  check_tensors(tensors);
  auto file = std::make_shared<StoredWeights>(path, "recipe", nullptr);
  for (const SynthTensor& tensor : tensors) {
    std::byte* bytes = file->allocate(*checked_bytes(tensor.shape, tensor.dtype));
    file->add_tensor({tensor.name, tensor.dtype, tensor.shape, bytes});
    for_each_piece(tensor, [&](std::span<const std::byte> piece) {
      std::memcpy(bytes, piece.data(), piece.size());
      bytes += piece.size();
    });
  }
  return file;
}

void write_synth(const std::string& path, const std::vector<SynthTensor>& tensors,
                 const std::map<std::string, std::string>& metadata,
                 const std::function<void(uint64_t done, uint64_t total)>& progress) {
  check_tensors(tensors);
  std::vector<SafetensorsEntry> entries;
  uint64_t total = 0;
  for (const SynthTensor& tensor : tensors) {
    entries.push_back({tensor.name, tensor.dtype, tensor.shape});
    total += *checked_bytes(tensor.shape, DType::u8);
  }
  SafetensorsWriter writer(path, std::move(entries), metadata);
  uint64_t done = 0;
  for (size_t n = 0; n < tensors.size(); ++n) {
    for_each_piece(tensors[n], [&](std::span<const std::byte> piece) { writer.append(n, piece); });
    done += *checked_bytes(tensors[n].shape, DType::u8);
    if (progress) progress(done, total);
  }
  writer.finish();
}

}  // namespace crane::weights
