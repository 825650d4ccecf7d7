// Whether a file that is mapped was written to since. What writes over a file in place changes it under those
// who have mapped it; what renames another over it leaves them the old one.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace crane {

class FileVersion {
 public:
  FileVersion(std::string path, const struct stat& status);

  // Errors: E_FILE_CHANGED where the path still leads to this file, and it has another size or was written to
  // since. One that lies elsewhere by now, or nowhere, cannot be told of, and is taken for the same.
  void check() const;

 private:
  std::string path_;
  uint64_t device_;
  uint64_t inode_;
  int64_t size_;
  int64_t seconds_;
  int64_t nanoseconds_;
};

}  // namespace crane
