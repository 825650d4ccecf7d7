#include "core/file_version.h"

#include <utility>

#include "core/error.h"

namespace crane {
namespace {

const timespec& written(const struct stat& status) {
#if defined(__APPLE__)
  return status.st_mtimespec;
#else
  return status.st_mtim;
#endif
}

}  // namespace

FileVersion::FileVersion(std::string path, const struct stat& status)
    : path_(std::move(path)),
      device_(status.st_dev),
      inode_(status.st_ino),
      size_(status.st_size),
      seconds_(written(status).tv_sec),
      nanoseconds_(written(status).tv_nsec) {}

void FileVersion::check() const {
  struct stat now {};
  if (::stat(path_.c_str(), &now) != 0 || now.st_dev != device_ || now.st_ino != inode_) return;
  const bool is_same =
      now.st_size == size_ && written(now).tv_sec == seconds_ && written(now).tv_nsec == nanoseconds_;
  if (is_same) return;
  throw Error("E_FILE_CHANGED", join_text(path_, ": was written to while it is in use"),
              "write another file and rename it over this one (mv, not cp), and load it anew");
}

}  // namespace crane
