// A file that appears whole or not at all: written under a temporary name in the same folder, synced,
// renamed, and the folder synced. Without commit() nothing stays behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace crane::weights {

class AtomicFile {
 public:
  explicit AtomicFile(std::string path);  // E_IO_WRITE
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write_at(uint64_t offset, std::span<const std::byte> bytes);  // E_IO_WRITE
  // Replaces whatever `path` was. After an error `path` is untouched. E_IO_WRITE.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

}  // namespace crane::weights
