// The zip container as far as weight files need it: the central directory (also zip64) and stored members.
// Nothing is inflated; a compressed member is listed but its bytes are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace crane::weights {

struct ZipMember {
  std::string name;
  size_t offset = 0;  // of the data, from the start of the file
  size_t size = 0;    // as it lies in the file
  uint32_t crc32 = 0;
  bool stored = false;  // false: compressed
};

class ZipArchive {
 public:
  // Every offset is checked: members lie inside the file, before the central directory, and do not overlap;
  // local and central headers agree; names are unique. `bytes` must outlive the object. Errors:
  // E_WEIGHTS_TRUNCATED, E_WEIGHTS_CONTAINER.
  ZipArchive(std::span<const std::byte> bytes, std::string path);

  const std::string& path() const { return path_; }
  const std::vector<ZipMember>& members() const { return members_; }  // in the directory's order
  const ZipMember* find(std::string_view name) const;                 // nullptr when absent
  // E_WEIGHTS_CONTAINER with a hint when the member is compressed.
  std::span<const std::byte> bytes(const ZipMember& member) const;
  // Reads all stored members. E_WEIGHTS_HASH.
  void verify_checksums() const;

 private:
  std::span<const std::byte> bytes_;
  std::string path_;
  std::vector<ZipMember> members_;
  std::unordered_map<std::string, size_t> by_name_;
};

// The CRC of zip, PNG and gzip (polynomial 0xEDB88320).
uint32_t crc32(std::span<const std::byte> bytes) noexcept;

}  // namespace crane::weights
