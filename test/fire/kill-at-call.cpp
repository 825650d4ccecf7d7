// Preloaded into a program under test: ends it as if by kill -9 at the CRANE_KILL_AT-th call that writes, syncs
// or renames a temporary file; of a write, half the bytes are written before. With CRANE_KILL_NAME only files are meant
// whose path has that in it. CRANE_KILL_LOG: a file that gets one byte for each of these calls, so that they can be counted.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstdio>
#include <string_view>

namespace {

template <typename F>
F real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

bool is_temporary(std::string_view path) {
  static const char* const name = std::getenv("CRANE_KILL_NAME");
  return path.ends_with(".tmp") && (name == nullptr || path.find(name) != std::string_view::npos);
}

bool is_temporary(int descriptor) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path);
  return length > 0 && is_temporary(std::string_view(path, static_cast<size_t>(length)));
}

// Whether the call that asks is the last one of this process.
bool is_the_last() {
  static std::atomic<long> calls{0};
  static const char* const log = std::getenv("CRANE_KILL_LOG");
  static const char* const last = std::getenv("CRANE_KILL_AT");
  if (log != nullptr) {
    const int descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor < 0 || real<ssize_t (*)(int, const void*, size_t)>("write")(descriptor, ".", 1) != 1) abort();
    close(descriptor);
  }
  return ++calls == (last == nullptr ? -1 : std::atol(last));
}

void end_now() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (is_temporary(descriptor) && is_the_last()) {
    if (next(descriptor, bytes, count / 2) < 0) abort();
    end_now();
  }
  return next(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (is_temporary(descriptor) && is_the_last()) {
    if (next(descriptor, bytes, count / 2, offset) < 0) abort();
    end_now();
  }
  return next(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}

int fsync(int descriptor) {
  static const auto next = real<int (*)(int)>("fsync");
  if (is_temporary(descriptor) && is_the_last()) end_now();
  return next(descriptor);
}

int rename(const char* from, const char* to) {
  static const auto next = real<int (*)(const char*, const char*)>("rename");
  if (is_temporary(std::string_view(from)) && is_the_last()) end_now();
  return next(from, to);
}
}
