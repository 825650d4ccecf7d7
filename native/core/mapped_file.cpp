#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace crane {
namespace {

std::string identity_of(const struct stat& status) {
#if defined(__APPLE__)
  const timespec& modified = status.st_mtimespec;
  const timespec& changed = status.st_ctimespec;
#else
  const timespec& modified = status.st_mtim;
  const timespec& changed = status.st_ctim;
#endif
  return join_text(status.st_dev, ":", status.st_ino, ":", status.st_size, ":", modified.tv_sec, ".",
                   modified.tv_nsec, ":", changed.tv_sec, ".", changed.tv_nsec);
}

}  // namespace

MappedFile::MappedFile(std::string path, const struct stat& status, const std::byte* data)
    : path_(std::move(path)),
      identity_(identity_of(status)),
      version_(path_, status),
      data_(data),
      size_(static_cast<size_t>(status.st_size)) {}

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    throw Error("E_IO_READ", join_text(path, ": cannot be opened: ", std::strerror(errno)),
                "check that the file exists and may be read");
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw Error("E_IO_READ", join_text(path, ": is not a regular file"));
  }
  const size_t size = static_cast<size_t>(status.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(descriptor);
      throw Error("E_IO_READ", join_text(path, ": cannot be mapped: ", std::strerror(error)));
    }
  }
  ::close(descriptor);
  return std::shared_ptr<const MappedFile>(new MappedFile(path, status, static_cast<const std::byte*>(data)));
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace crane
