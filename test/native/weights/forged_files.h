// Builds small weight files byte by byte, valid or broken on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weights/tensor_view.h"
#include "weights/zip.h"

// GCC 12 takes the copy inside `"literal" + string` for an overlapping one; it is not.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif

namespace crane::weights {

template <typename T>
std::string le(T value) {  // little endian
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <typename T>
std::string values_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// An exactly sized copy on the heap, so that a sanitizer sees the first byte read beyond it.
inline std::shared_ptr<const WeightFile> open_bytes(const std::string& bytes,
                                                    const std::string& path = "test.bin") {
  std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size()]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  return open_weights({copy.get(), bytes.size()}, copy, path);
}

inline std::string forge_safetensors(const std::string& header, const std::string& data) {
  return le<uint64_t>(header.size()) + header + data;
}

struct ForgedMember {
  std::string name;
  std::string data;
  // Deviations from a valid member:
  uint16_t method = 0;
  uint16_t flags = 0;
  std::string local_name = {};  // empty: as `name`
  int64_t offset_shift = 0;     // of the directory's offset
  int64_t size_shift = 0;       // of the directory's sizes
  bool zip64 = false;           // sizes and offset in the extra field
};

struct ForgedZip {
  std::vector<ForgedMember> members;
  bool zip64_end = false;
  int count_shift = 0;
  int directory_offset_shift = 0;
  int directory_size_shift = 0;
  uint16_t disk = 0;
  std::string gap = {};  // between the directory and its end record
  std::string comment = {};

  std::string bytes() const {
    std::string file;
    std::string directory;
    for (const ForgedMember& member : members) {
      const auto header = static_cast<uint64_t>(static_cast<int64_t>(file.size()) + member.offset_shift);
      const auto size = static_cast<uint64_t>(static_cast<int64_t>(member.data.size()) + member.size_shift);
      const uint32_t crc = crc32(std::as_bytes(std::span(member.data)));
      const std::string local_name = member.local_name.empty() ? member.name : member.local_name;
      const auto local_size = static_cast<uint32_t>((member.flags & 8) != 0 ? 0 : member.data.size());
      file += le<uint32_t>(0x04034b50) + le<uint16_t>(20) + le(member.flags) + le(member.method) +
              le<uint32_t>(0) + le(crc) + le(local_size) + le(local_size) +
              le<uint16_t>(static_cast<uint16_t>(local_name.size())) + le<uint16_t>(0) + local_name +
              member.data;
      const std::string extra =
          member.zip64 ? le<uint16_t>(1) + le<uint16_t>(24) + le(size) + le(size) + le(header) : "";
      const auto narrow = [&](uint64_t v) { return member.zip64 ? 0xffffffffu : static_cast<uint32_t>(v); };
      directory += le<uint32_t>(0x02014b50) + le<uint16_t>(20) + le<uint16_t>(20) + le(member.flags) +
                   le(member.method) + le<uint32_t>(0) + le(crc) + le(narrow(size)) + le(narrow(size)) +
                   le<uint16_t>(static_cast<uint16_t>(member.name.size())) +
                   le<uint16_t>(static_cast<uint16_t>(extra.size())) + le<uint16_t>(0) + le<uint16_t>(0) +
                   le<uint16_t>(0) + le<uint32_t>(0) + le(narrow(header)) + member.name + extra;
    }
    const auto at = static_cast<uint64_t>(static_cast<int64_t>(file.size()) + directory_offset_shift);
    const auto size = static_cast<uint64_t>(static_cast<int64_t>(directory.size()) + directory_size_shift);
    const auto count = static_cast<uint64_t>(static_cast<int64_t>(members.size()) + count_shift);
    file += directory + gap;
    if (zip64_end) {
      const uint64_t end64 = file.size();
      file += le<uint32_t>(0x06064b50) + le<uint64_t>(44) + le<uint16_t>(45) + le<uint16_t>(45) +
              le<uint32_t>(0) + le<uint32_t>(0) + le(count) + le(count) + le(size) + le(at);
      file += le<uint32_t>(0x07064b50) + le<uint32_t>(0) + le(end64) + le<uint32_t>(1);
    }
    const auto narrow32 = [&](uint64_t v) { return zip64_end ? 0xffffffffu : static_cast<uint32_t>(v); };
    const auto narrow16 = [&](uint64_t v) { return zip64_end ? uint16_t{0xffff} : static_cast<uint16_t>(v); };
    file += le<uint32_t>(0x06054b50) + le(disk) + le(disk) + le(narrow16(count)) + le(narrow16(count)) +
            le(narrow32(size)) + le(narrow32(at)) + le<uint16_t>(static_cast<uint16_t>(comment.size())) +
            comment;
    return file;
  }
};

// Opcodes of protocol 2.
namespace op {
inline std::string proto() { return {"\x80\x02", 2}; }
inline std::string text(const std::string& value) {
  return "X" + le<uint32_t>(static_cast<uint32_t>(value.size())) + value;
}
inline std::string integer(int32_t value) { return "J" + le(value); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string integers(const std::vector<int32_t>& values) {
  std::string tuple = "(";
  for (const int32_t value : values) tuple += integer(value);
  return tuple + "t";
}
inline std::string storage(const std::string& type, const std::string& key, int32_t numel,
                           const std::string& location = "cpu") {
  return "(" + text("storage") + global("torch", type) + text(key) + text(location) + integer(numel) + "tQ";
}
inline std::string tensor(const std::string& storage, int32_t offset, const std::vector<int32_t>& shape,
                          const std::vector<int32_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + integer(offset) + integers(shape) +
         integers(strides) + "\x89" + global("collections", "OrderedDict") + ")RtR";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string pickled = "}(";
  for (const auto& [key, value] : items) pickled += text(key) + value;
  return pickled + "u";
}
}  // namespace op

// torch.save of whatever `value` leaves on the stack.
inline ForgedZip forge_torch_zip(const std::string& value,
                                 const std::vector<std::pair<std::string, std::string>>& storages) {
  ForgedZip zip;
  zip.members.push_back({"archive/data.pkl", op::proto() + value + "."});
  for (const auto& [key, data] : storages) zip.members.push_back({"archive/data/" + key, data});
  zip.members.push_back({"archive/version", "3\n"});
  return zip;
}

// {"w": f32 [2, 3] = 1..6, "b": f16 [2] = 1, -2}
inline ForgedZip forge_small_torch_zip() {
  return forge_torch_zip(
      op::dict({{"w", op::tensor(op::storage("FloatStorage", "0", 6), 0, {2, 3}, {3, 1})},
                {"b", op::tensor(op::storage("HalfStorage", "1", 2), 0, {2}, {1})}}),
      {{"0", values_bytes<float>({1, 2, 3, 4, 5, 6})}, {"1", values_bytes<uint16_t>({0x3c00, 0xc000})}});
}

// A module with a tensor, a number, and a child that holds a tensor.
inline ForgedZip forge_small_torchscript() {
  const std::string child =
      op::global("__torch__.___torch_mangle_0", "Child") + ")\x81" +
      op::dict(
          {{"weight", op::tensor(op::storage("FloatStorage", "0", 6), 0, {6}, {1})}, {"training", "\x88"}}) +
      "b";
  const std::string root = op::global("__torch__", "Model") + ")\x81" +
                           op::dict({{"scale", op::tensor(op::storage("HalfStorage", "1", 2), 1, {}, {})},
                                     {"context_length", op::integer(77)},
                                     {"hook", "N"},
                                     {"child", child}}) +
                           "b";
  ForgedZip zip = forge_torch_zip(root, {{"0", values_bytes<float>({1, 2, 3, 4, 5, 6})},
                                         {"1", values_bytes<uint16_t>({0x3c00, 0xc000})}});
  zip.members.push_back({"archive/constants.pkl", std::string("\x80\x02).", 4)});
  zip.members.push_back({"archive/code/__torch__.py", "class Model(Module):\n", /*method=*/8});
  return zip;
}

inline std::string forge_small_safetensors() {
  return forge_safetensors(
      R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"F16","shape":[2],"data_offsets":[24,28]}})",
      values_bytes<float>({1, 2, 3, 4, 5, 6}) + values_bytes<uint16_t>({0x3c00, 0xc000}));
}

}  // namespace crane::weights
