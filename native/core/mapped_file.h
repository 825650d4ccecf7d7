// A file mapped read-only into memory. The pages are shared between processes and read on first touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/file_version.h"

namespace crane {

class MappedFile {
 public:
  // Errors: E_IO_READ when the file cannot be opened, is no regular file or cannot be mapped.
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const noexcept { return data_; }
  size_t size() const noexcept { return size_; }
  const std::string& path() const noexcept { return path_; }
  // Tells the file, as it was when it was opened, from every other and from itself after a change: device,
  // inode, size and the times of its last changes.
  const std::string& identity() const noexcept { return identity_; }
  const FileVersion& version() const noexcept { return version_; }

 private:
  MappedFile(std::string path, const struct stat& status, const std::byte* data);

  std::string path_;
  std::string identity_;
  FileVersion version_;
  const std::byte* data_;
  size_t size_;
};

}  // namespace crane
