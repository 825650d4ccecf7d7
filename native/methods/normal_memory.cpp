#include "methods/normal_memory.h"

#include <cstring>

#include "core/error.h"
#include "weights/facts_checksum.h"
#include "weights/safetensors.h"
#include "weights/zip.h"

namespace crane::methods {
namespace {

constexpr const char* k_code = "E_NORMALS";
constexpr const char* k_format = "crane.memory";
constexpr const char* k_version = "1";
constexpr const char* k_method = "crane.memory.method";
constexpr const char* k_checksum = "crane.memory.crc32.";  // and the number of the part
constexpr const char* k_parts = "parts";
constexpr const char* k_part = "part.";  // and its number
// A unit row in float32 is off by some roundings of its sum.
constexpr double k_norm_slack = 1e-3;

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

std::string fact_of(const weights::WeightFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  check_input(found != file.metadata().end(), k_code, file.path(),
              ": no memory of normal pictures, or one whose description is not whole");
  return found->second;
}

std::vector<int64_t> parts_of(const weights::WeightFile& file) {
  const weights::TensorView* view = file.find(k_parts);
  check_input(view != nullptr && view->dtype == weights::DType::i64 && view->shape.size() == 1, k_code,
              file.path(), ": a memory that does not say of what parts it is");
  std::vector<int64_t> parts(static_cast<size_t>(view->numel()));
  if (!parts.empty()) std::memcpy(parts.data(), view->data, view->bytes());
  return parts;
}

// [P, n, width] of a part: what the shape asks for, the bytes that were written, finite, rows of length 1.
at::Tensor part_of(const weights::WeightFile& file, size_t part, const MemoryShape& shape) {
  const std::string name = join_text(k_part, part);
  const weights::TensorView* view = file.find(name);
  check_input(
      view != nullptr && view->dtype == weights::DType::f32 && view->shape.size() == 3 && view->shape[0] > 0,
      k_code, file.path(), ": a memory without its ", name);
  check_input(std::vector<int64_t>(view->shape.begin() + 1, view->shape.end()) == shape.rows[part], k_code,
              file.path(), ": a memory of another model or input: of a picture its ", name, " is ",
              weights::shape_text({view->shape[1], view->shape[2]}), ", here it is ",
              weights::shape_text(shape.rows[part]));
  check_input(
      join_text(weights::crc32({view->data, view->bytes()})) == fact_of(file, join_text(k_checksum, part)),
      k_code, file.path(), ": damaged: its ", name, " does not have its checksum");
  at::Tensor rows = at::empty(view->shape, at::kFloat);
  std::memcpy(rows.mutable_data_ptr(), view->data, view->bytes());
  const at::Tensor is_unit = (rows.norm(2, /*dim=*/2) - 1).abs() < k_norm_slack;  // false for NaN
  check_input(is_unit.all().item<bool>(), k_code, file.path(), ": rows that are not of length 1");
  return rows;
}

void check_kind(std::string_view method, const std::vector<int64_t>& parts, const MemoryShape& shape,
                const std::string& where) {
  check_input(method == shape.method, k_code, where, ": a memory of method ", method, ", not of ",
              shape.method);
  check_input(parts == shape.parts, k_code, where, ": a memory of parts ", weights::shape_text(parts),
              ", and the call's are ", weights::shape_text(shape.parts));
}

void add_file(NormalMemory& memory, const std::string& path, const MemoryShape& shape, at::Device device) {
  const std::shared_ptr<const weights::WeightFile> file = weights::open_weights(path);
  const std::string version = fact_of(*file, k_format);
  check_input(version == k_version, k_code, path, ": a memory of format ", weights::quote_name(version),
              ", this engine reads ", k_version);
  weights::check_facts(*file, k_code);
  check_kind(fact_of(*file, k_method), parts_of(*file), shape, path);
  std::vector<at::Tensor> parts;
  for (size_t p = 0; p < shape.parts.size(); ++p) parts.push_back(part_of(*file, p, shape).to(device));
  for (const at::Tensor& part : parts) {
    check_input(part.size(0) == parts.front().size(0), k_code, path,
                ": a memory whose parts are of different numbers of pictures");
  }
  for (int64_t i = 0; !parts.empty() && i < parts.front().size(0); ++i) {
    std::vector<at::Tensor>& picture = memory.pictures.emplace_back();
    for (const at::Tensor& part : parts) picture.push_back(part[i]);
  }
}

}  // namespace

void NormalMemory::write(const std::string& path, const std::map<std::string, std::string>& metadata) const {
  check_input(!pictures.empty(), k_code, "a memory needs a normal picture");
  std::map<std::string, std::string> facts = metadata;
  facts[k_format] = k_version;
  facts[k_method] = method;
  std::vector<weights::SafetensorsEntry> entries{
      {k_parts, weights::DType::i64, {static_cast<int64_t>(parts.size())}}};
  std::vector<at::Tensor> tensors;
  for (size_t p = 0; p < parts.size(); ++p) {
    std::vector<at::Tensor> of_part;
    for (const auto& picture : pictures) of_part.push_back(picture[p].to(at::kCPU, at::kFloat));
    tensors.push_back(at::stack(of_part).contiguous());
    facts[join_text(k_checksum, p)] = join_text(weights::crc32(bytes_of(tensors.back())));
    entries.push_back({join_text(k_part, p), weights::DType::f32, tensors.back().sizes().vec()});
  }
  facts[weights::k_facts_checksum] = weights::facts_checksum(facts, {{k_parts, parts}});
  weights::SafetensorsWriter writer(path, std::move(entries), facts);
  writer.append(0, std::as_bytes(std::span(parts)));
  for (size_t p = 0; p < tensors.size(); ++p) writer.append(1 + p, bytes_of(tensors[p]));
  writer.finish();
}

NormalMemory held_memory(const Material& material, const MemoryShape& shape, at::Device device) {
  NormalMemory memory;
  memory.method = shape.method;
  memory.parts = shape.parts;
  if (const auto file = material.files.find("memory"); file != material.files.end()) {
    add_file(memory, file->second, shape, device);
  }
  if (const auto earlier = material.contexts.find("memory"); earlier != material.contexts.end()) {
    for (const auto& context : earlier->second) {
      const auto& own = own_context<NormalMemory>(*context, shape.method);
      check_kind(own.method, own.parts, shape, "the normal pictures");
      memory.pictures.insert(memory.pictures.end(), own.pictures.begin(), own.pictures.end());
    }
  }
  return memory;
}

}  // namespace crane::methods
