#include "weights/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/error.h"

namespace crane::weights {

namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  const char* hint = error == ENOSPC || error == EDQUOT ? "free some space or write somewhere else"
                     : error == EFBIG ? "files may not become that large here (ulimit -f, or the file system)"
                     : error == ENOENT ? "create the folder first"
                                       : "check that the folder exists and may be written";
  throw Error("E_IO_WRITE", join_text(path, ": ", what, ": ", std::strerror(error)), hint);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  static std::atomic<uint32_t> counter{0};
  // Process and counter make the name ours alone; a leftover of a killed process with our id is stepped over.
  do {
    temporary_ = join_text(path_, ".", ::getpid(), "-", counter++, ".tmp");
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail(path_, "cannot be written", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path_, "cannot be written", written == 0 ? EIO : errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
}

void AtomicFile::commit() {
  CRANE_CHECK_INVARIANT(descriptor_ >= 0, "committed twice: ", path_);
  // The bytes must be on the disk before the name points to them, and the name before we say it is done.
  if (::fsync(descriptor_) != 0) fail(path_, "cannot be synced", errno);
  const int closing = descriptor_;
  descriptor_ = -1;
  if (::close(closing) != 0) fail(path_, "cannot be closed", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "cannot be renamed into place", errno);
  temporary_.clear();

  const std::string folder = folder_of(path_);
  const int folder_descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor < 0) fail(folder, "cannot be synced", errno);
  const int result = ::fsync(folder_descriptor);
  const int error = errno;
  ::close(folder_descriptor);
  // Some file systems have no sync of folders and say so with EINVAL.
  if (result != 0 && error != EINVAL) fail(folder, "cannot be synced", error);
}

}  // namespace crane::weights
