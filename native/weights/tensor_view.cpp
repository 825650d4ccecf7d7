#include "weights/tensor_view.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "weights/half.h"

namespace crane::weights {

size_t item_bytes(DType dtype) {
  switch (dtype) {
    case DType::u8:
    case DType::i8:
    case DType::boolean:
      return 1;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
      return 2;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
    case DType::i64:
      return 8;
  }
  return 0;
}

const char* dtype_name(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::u8:
      return "u8";
    case DType::i8:
      return "i8";
    case DType::i16:
      return "i16";
    case DType::i32:
      return "i32";
    case DType::i64:
      return "i64";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

bool is_floating(DType dtype) {
  return dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f32 || dtype == DType::f64;
}

int64_t TensorView::numel() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

std::string quote_name(std::string_view name) {
  static constexpr size_t k_shown_bytes = 160;
  static constexpr char k_hex[] = "0123456789abcdef";
  // A cut in the middle of a UTF-8 sequence would make the message invalid text: step back to its first byte.
  size_t shown = std::min(name.size(), k_shown_bytes);
  while (shown < name.size() && shown > 0 && (static_cast<uint8_t>(name[shown]) & 0xc0) == 0x80) --shown;
  std::string text = "\"";
  for (const char c : name.substr(0, shown)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += k_hex[byte >> 4];
      text += k_hex[byte & 15];
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + (shown < name.size() ? "...\"" : "\"");
}

std::optional<size_t> checked_bytes(const std::vector<int64_t>& shape, DType dtype) {
  static constexpr size_t k_max_rank = 16;
  if (shape.size() > k_max_rank) return std::nullopt;
  uint64_t product = item_bytes(dtype);
  for (const int64_t size : shape) {
    if (size < 0) return std::nullopt;
    if (__builtin_mul_overflow(product, static_cast<uint64_t>(size), &product)) return std::nullopt;
    if (product > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  }
  return static_cast<size_t>(product);
}

namespace {

// Any element with all exponent bits set is NaN or infinite. No branch inside, so that it vectorises.
bool all_finite(const float* values, size_t count) {
  uint32_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    found |= static_cast<uint32_t>((bits & 0x7f800000u) == 0x7f800000u);
  }
  return found == 0;
}

template <typename T>
T load_as(const std::byte* data, size_t index) {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

void widen(const TensorView& src, size_t first, size_t count, float* dst) {
  const std::byte* data = src.data + first * item_bytes(src.dtype);
  switch (src.dtype) {
    case DType::f32:
      std::memcpy(dst, data, count * sizeof(float));
      return;
    case DType::f16:
      f16_to_f32(data, dst, count);
      return;
    case DType::bf16:
      bf16_to_f32(data, dst, count);
      return;
    case DType::f64:
      for (size_t i = 0; i < count; ++i) dst[i] = static_cast<float>(load_as<double>(data, i));
      return;
    default:
      throw Error("E_WEIGHTS_DTYPE", join_text("tensor ", quote_name(src.name), " is ", dtype_name(src.dtype),
                                               ", expected f16, bf16, f32 or f64"));
  }
}

int64_t load_integer(const TensorView& src, size_t index) {
  switch (src.dtype) {
    case DType::u8:
      return load_as<uint8_t>(src.data, index);
    case DType::boolean:
      return load_as<uint8_t>(src.data, index) != 0 ? 1 : 0;
    case DType::i8:
      return load_as<int8_t>(src.data, index);
    case DType::i16:
      return load_as<int16_t>(src.data, index);
    case DType::i32:
      return load_as<int32_t>(src.data, index);
    case DType::i64:
      return load_as<int64_t>(src.data, index);
    default:
      throw Error("E_WEIGHTS_DTYPE", join_text("tensor ", quote_name(src.name), " is ", dtype_name(src.dtype),
                                               ", expected an integer type"));
  }
}

}  // namespace

void copy_as_f32(const TensorView& src, float* dst) {
  static constexpr size_t k_chunk = 1
                                    << 14;  // 64 KiB of floats: the check reads them while they are in cache
  const auto count = static_cast<size_t>(src.numel());
  for (size_t first = 0; first < count; first += k_chunk) {
    const size_t size = std::min(k_chunk, count - first);
    widen(src, first, size, dst + first);
    if (all_finite(dst + first, size)) continue;
    const float* bad =
        std::find_if(dst + first, dst + first + size, [](float v) { return !std::isfinite(v); });
    throw Error("E_WEIGHTS_NONFINITE",
                join_text("tensor ", quote_name(src.name), " ", shape_text(src.shape), " is ",
                          std::isnan(*bad) ? "NaN" : "infinite", " at flat index ", bad - dst),
                "the file is damaged or training diverged: take another copy");
  }
}

void copy_as_i32(const TensorView& src, int32_t* dst) {
  const auto count = static_cast<size_t>(src.numel());
  for (size_t i = 0; i < count; ++i) {
    const int64_t value = load_integer(src, i);
    if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
      throw Error("E_WEIGHTS_DTYPE", join_text("tensor ", quote_name(src.name), " holds ", value,
                                               " at flat index ", i, ", expected a 32-bit integer"));
    }
    dst[i] = static_cast<int32_t>(value);
  }
}

const TensorView* WeightFile::find(std::string_view name) const {
  for (const TensorView& view : tensors()) {
    if (view.name == name) return &view;
  }
  return nullptr;
}

}  // namespace crane::weights
