#include "weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "core/error.h"
#include "weights/json_scan.h"
#include "weights/stored_weights.h"
#include "weights/utf8.h"

namespace crane::weights {

namespace {

constexpr size_t k_length_bytes = 8;
constexpr uint64_t k_max_header_bytes = 100'000'000;  // the limit of the format's own reader

struct DTypeName {
  DType dtype;
  const char* name;
};
constexpr DTypeName k_dtype_names[] = {
    {DType::f16, "F16"}, {DType::bf16, "BF16"},    {DType::f32, "F32"}, {DType::f64, "F64"},
    {DType::u8, "U8"},   {DType::i8, "I8"},        {DType::i16, "I16"}, {DType::i32, "I32"},
    {DType::i64, "I64"}, {DType::boolean, "BOOL"},
};

std::optional<DType> dtype_of(std::string_view name) {
  for (const DTypeName& row : k_dtype_names) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

const char* stored_name(DType dtype) {
  for (const DTypeName& row : k_dtype_names) {
    if (dtype == row.dtype) return row.name;
  }
  return "?";
}

struct Entry {
  TensorView view;
  uint64_t begin = 0;
  uint64_t end = 0;
};

uint64_t read_offset(const JsonValue& value, const std::string& where) {
  const auto offset = value.as_integer();
  check_input(offset && *offset >= 0, "E_WEIGHTS_CONTAINER", where,
              ": data_offsets are not two whole numbers");
  return static_cast<uint64_t>(*offset);
}

Entry read_entry(const std::string& name, const JsonValue& value, const std::string& path) {
  const std::string where = join_text(path, ": tensor ", quote_name(name));
  check_input(value.kind == JsonValue::Kind::object, "E_WEIGHTS_CONTAINER", where,
              ": its entry is not an object");
  const JsonValue* dtype = value.find("dtype");
  const JsonValue* shape = value.find("shape");
  const JsonValue* offsets = value.find("data_offsets");
  check_input(dtype && shape && offsets && value.members.size() == 3, "E_WEIGHTS_CONTAINER", where,
              ": its entry must hold dtype, shape and data_offsets and nothing else");

  Entry entry;
  entry.view.name = name;
  check_input(dtype->kind == JsonValue::Kind::string, "E_WEIGHTS_CONTAINER", where,
              ": dtype is not a string");
  const auto known = dtype_of(dtype->text);
  check_input(known.has_value(), "E_WEIGHTS_DTYPE", where, ": type ", quote_name(dtype->text),
              " is not read, expected one of F16 BF16 F32 F64 U8 I8 I16 I32 I64 BOOL");
  entry.view.dtype = *known;

  check_input(shape->kind == JsonValue::Kind::array, "E_WEIGHTS_CONTAINER", where, ": shape is not an array");
  for (const JsonValue& item : shape->items) {
    const auto size = item.as_integer();
    check_input(size && *size >= 0, "E_WEIGHTS_SHAPE", where, ": a size of its shape is not a whole number");
    entry.view.shape.push_back(*size);
  }
  const auto bytes = checked_bytes(entry.view.shape, entry.view.dtype);
  check_input(bytes.has_value(), "E_WEIGHTS_SHAPE", where, ": shape ", shape_text(entry.view.shape),
              " is larger than any file");

  check_input(offsets->kind == JsonValue::Kind::array && offsets->items.size() == 2, "E_WEIGHTS_CONTAINER",
              where, ": data_offsets are not two whole numbers");
  entry.begin = read_offset(offsets->items[0], where);
  entry.end = read_offset(offsets->items[1], where);
  check_input(entry.end >= entry.begin, "E_WEIGHTS_CONTAINER", where, ": data_offsets run backwards");
  check_input(entry.end - entry.begin == *bytes, "E_WEIGHTS_SHAPE", where, ": ", entry.end - entry.begin,
              " bytes, expected ", *bytes, " for ", dtype_name(entry.view.dtype), " ",
              shape_text(entry.view.shape));
  return entry;
}

}  // namespace

std::shared_ptr<const WeightFile> read_safetensors(std::span<const std::byte> bytes,
                                                   std::shared_ptr<const void> owner,
                                                   const std::string& path) {
  check_input(bytes.size() >= k_length_bytes, "E_WEIGHTS_TRUNCATED", path, ": ", bytes.size(),
              " bytes, too short for a safetensors file");
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  check_input(header_bytes >= 2 && header_bytes <= k_max_header_bytes, "E_WEIGHTS_CONTAINER", path,
              ": safetensors header of ", header_bytes, " bytes, expected 2 to ", k_max_header_bytes);
  check_input(header_bytes <= bytes.size() - k_length_bytes, "E_WEIGHTS_TRUNCATED", path, ": header of ",
              header_bytes, " bytes in a file of ", bytes.size());
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + k_length_bytes, header_bytes);
  check_input(header.front() == '{', "E_WEIGHTS_CONTAINER", path,
              ": the safetensors header is no JSON object");
  const JsonValue root = scan_json(header, "E_WEIGHTS_CONTAINER", path);

  auto file = std::make_shared<StoredWeights>(path, "safetensors", std::move(owner));
  std::vector<Entry> entries;
  entries.reserve(root.members.size());
  for (const auto& [name, value] : root.members) {
    if (name != "__metadata__") {
      entries.push_back(read_entry(name, value, path));
      continue;
    }
    check_input(value.kind == JsonValue::Kind::object, "E_WEIGHTS_CONTAINER", path,
                ": __metadata__ is no object");
    for (const auto& [key, text] : value.members) {
      check_input(text.kind == JsonValue::Kind::string, "E_WEIGHTS_CONTAINER", path, ": __metadata__ ",
                  quote_name(key), " is not a string");
      file->add_metadata(key, text.text);
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });

  // Contiguous from 0 to the end of the file: with that there is no overlap, no gap and nothing out of range.
  const std::span<const std::byte> data = bytes.subspan(k_length_bytes + header_bytes);
  uint64_t next = 0;
  for (Entry& entry : entries) {
    check_input(entry.begin == next, "E_WEIGHTS_CONTAINER", path, ": tensor ", quote_name(entry.view.name),
                " begins at ", entry.begin, ", expected ", next, " (tensors lie without gap or overlap)");
    check_input(entry.end <= data.size(), "E_WEIGHTS_TRUNCATED", path, ": tensor ",
                quote_name(entry.view.name), " ends at ", entry.end, " of ", data.size(), " bytes of data");
    next = entry.end;
    entry.view.data = data.data() + entry.begin;
    file->add_tensor(std::move(entry.view));
  }
  check_input(next == data.size(), "E_WEIGHTS_CONTAINER", path, ": ", data.size() - next,
              " bytes behind the last tensor");
  return file;
}

namespace {

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char k_hex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20) {
      out += "\\u00";
      out += k_hex[byte >> 4];
      out += k_hex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::string& path, std::vector<SafetensorsEntry> entries,
                                     const std::map<std::string, std::string>& metadata, size_t alignment)
    : entries_(std::move(entries)), ranges_(entries_.size()), file_(path) {
  std::vector<size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return item_bytes(entries_[a].dtype) > item_bytes(entries_[b].dtype);
  });

  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      CRANE_CHECK_INVARIANT(is_utf8(key) && is_utf8(value), "metadata is not UTF-8: ", quote_name(key));
      if (header.back() != '{') header += ',';
      append_json_string(header, key);
      header += ':';
      append_json_string(header, value);
    }
    header += '}';
  }
  uint64_t offset = 0;
  std::unordered_set<std::string> seen;
  for (const size_t i : order) {
    const SafetensorsEntry& entry = entries_[i];
    const auto bytes = checked_bytes(entry.shape, entry.dtype);
    CRANE_CHECK_INVARIANT(bytes.has_value(), "shape of ", quote_name(entry.name));
    CRANE_CHECK_INVARIANT(!entry.name.empty() && entry.name != "__metadata__" && is_utf8(entry.name) &&
                              seen.insert(entry.name).second,
                          "name of tensor ", quote_name(entry.name));
    if (header.back() != '{') header += ',';
    append_json_string(header, entry.name);
    header += join_text(":{\"dtype\":\"", stored_name(entry.dtype), "\",\"shape\":[");
    for (size_t k = 0; k < entry.shape.size(); ++k) header += join_text(k > 0 ? "," : "", entry.shape[k]);
    header += join_text("],\"data_offsets\":[", offset, ",", offset + *bytes, "]}");
    ranges_[i] = {offset, offset + *bytes};
    offset += *bytes;
  }
  header += '}';
  while ((k_length_bytes + header.size()) % alignment != 0) header += ' ';

  const uint64_t length = header.size();
  file_.write_at(0, std::as_bytes(std::span(&length, 1)));
  file_.write_at(k_length_bytes, std::as_bytes(std::span(header)));
  for (Range& range : ranges_) {
    range.next += k_length_bytes + length;
    range.end += k_length_bytes + length;
  }
}

void SafetensorsWriter::append(size_t entry, std::span<const std::byte> bytes) {
  Range& range = ranges_.at(entry);
  CRANE_CHECK_INVARIANT(bytes.size() <= range.end - range.next, "too many bytes for tensor ",
                        quote_name(entries_[entry].name));
  file_.write_at(range.next, bytes);
  range.next += bytes.size();
}

void SafetensorsWriter::finish() {
  for (size_t i = 0; i < ranges_.size(); ++i) {
    CRANE_CHECK_INVARIANT(ranges_[i].next == ranges_[i].end, "tensor ", quote_name(entries_[i].name),
                          " is not complete");
  }
  file_.commit();
}

}  // namespace crane::weights
