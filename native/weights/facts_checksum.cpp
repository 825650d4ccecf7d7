#include "weights/facts_checksum.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "weights/zip.h"

namespace crane::weights {
namespace {

// With its length before it, so that no two lists of parts give the same bytes.
void append(std::string& all, std::string_view part) {
  all += join_text(part.size(), ':');
  all += part;
}

}  // namespace

std::string facts_checksum(const std::map<std::string, std::string>& metadata, const IntegerLists& lists) {
  std::string all;
  for (const auto& [key, value] : metadata) {
    if (key == k_facts_checksum) continue;
    append(all, key);
    append(all, value);
  }
  for (const auto& [name, values] : lists) {
    append(all, name);
    append(all, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  return join_text(crc32(std::as_bytes(std::span(all))));
}

void check_facts(const WeightFile& file, const char* code) {
  const auto found = file.metadata().find(k_facts_checksum);
  if (found == file.metadata().end()) return;
  std::map<std::string, std::vector<int64_t>> held;
  IntegerLists lists;
  for (const TensorView& view : file.tensors()) {
    if (view.dtype != DType::i64 || view.shape.size() != 1) continue;
    std::vector<int64_t>& values = held[std::string(view.name)];
    values.resize(static_cast<size_t>(view.numel()));
    if (!values.empty()) std::memcpy(values.data(), view.data, view.bytes());
    lists[std::string(view.name)] = values;
  }
  check_input(facts_checksum(file.metadata(), lists) == found->second, code, file.path(),
              ": damaged: its description does not have its checksum");
}

}  // namespace crane::weights
