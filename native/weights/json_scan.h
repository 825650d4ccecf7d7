// A strict JSON reader (RFC 8259) for headers of weight files, which may come from anywhere: no comments, no
// trailing commas, no duplicate keys, only well-formed UTF-8, bounded nesting and a bounded number of values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crane::weights {

struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };

  // Defined once the type is complete, since it holds itself: clang 14 makes those of `members` too early.
  JsonValue();
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;  // a string's content, or a number exactly as written
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> members;  // in the order of the text

  // nullptr when absent or not an object.
  const JsonValue* find(std::string_view key) const;
  // A number written as plain digits (with an optional minus sign) that fits 64 bits.
  std::optional<int64_t> as_integer() const;
  // Any number.
  std::optional<double> as_double() const;
};

inline JsonValue::JsonValue() = default;
inline JsonValue::JsonValue(const JsonValue&) = default;
inline JsonValue::JsonValue(JsonValue&&) noexcept = default;
inline JsonValue& JsonValue::operator=(const JsonValue&) = default;
inline JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
inline JsonValue::~JsonValue() = default;

struct JsonLimits {
  size_t max_depth = 16;
  size_t max_values = size_t{1} << 20;  // with 100 bytes a value, about 100 MB at worst
};

// The whole text is one value, with white space around it. Errors: `code`, with the byte where the fault is;
// `where` begins the message.
JsonValue scan_json(std::string_view text, const char* code, const std::string& where,
                    JsonLimits limits = {});

}  // namespace crane::weights
