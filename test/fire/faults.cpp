// Preloaded into a program under test: at the n-th call of a kind it ends the program as kill -9 does, or lets the call
// fail once; or the disk is full after so many bytes. Counted are calls that concern files below one folder, and calls
// for memory and threads that the engine makes.
//
//   CRANE_FIRE_FOLDER  files below it are watched
//   CRANE_FIRE_MAPPED  files below it are watched when they are mapped, where it is not the same folder
//   CRANE_FIRE_CALLS   of which calls: write,fsync,rename,open,mmap,alloc,thread (joined by commas)
//   CRANE_FIRE_AT      the number of the call, from 1
//   CRANE_FIRE_DO      kill, SIGINT or SIGTERM (a signal, and the call is made), or the number of an errno that the call fails with
//   CRANE_FIRE_ROOM    bytes that may be written below the folder; then ENOSPC
//   CRANE_FIRE_LOG     a file that gets a byte for each counted call, the first letter of its kind
//
// A program steers it by renaming: /crane-fire/at/N counts anew from here.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

namespace {

template <typename F>
F real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

const char* setting(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

std::atomic<long> calls{0};
std::atomic<long> last{-2};  // -2: not read yet
std::atomic<long> room{-2};

long number_of(const char* name) {
  const char* text = setting(name);
  return *text == '\0' ? -1 : atol(text);
}

bool is_counted(const char* kind) {
  static const std::string_view kinds = setting("CRANE_FIRE_CALLS");
  for (size_t at = kinds.find(kind); at != std::string_view::npos; at = kinds.find(kind, at + 1)) {
    const size_t end = at + strlen(kind);
    if ((at == 0 || kinds[at - 1] == ',') && (end == kinds.size() || kinds[end] == ',')) return true;
  }
  return false;
}

bool is_watched(std::string_view path) {
  static const std::string_view folder = setting("CRANE_FIRE_FOLDER");
  return !folder.empty() && path.starts_with(folder);
}

// The path of an open file, in `memory`; empty where it has none.
std::string_view path_of(int descriptor, char (&memory)[4096]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, memory, sizeof memory);
  return {memory, length > 0 ? static_cast<size_t>(length) : 0};
}

bool is_watched(int descriptor) {
  char path[4096];
  return is_watched(path_of(descriptor, path));
}

bool is_watched_when_mapped(int descriptor) {
  static const std::string_view folder = setting("CRANE_FIRE_MAPPED");
  char path[4096];
  return folder.empty() ? is_watched(descriptor) : path_of(descriptor, path).starts_with(folder);
}

// Whether this call is the one; `kind` is the first letter of its own.
bool is_the_one(char kind) {
  if (last.load() == -2) last.store(number_of("CRANE_FIRE_AT"));
  static const char* const log = setting("CRANE_FIRE_LOG");
  if (*log != '\0') {
    static const int descriptor = real<int (*)(const char*, int, ...)>("open")(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
    if (next(descriptor, &kind, 1) != 1) abort();
  }
  if (++calls != last.load()) return false;
  static const std::string_view todo = setting("CRANE_FIRE_DO");
  if (todo != "SIGINT" && todo != "SIGTERM") return true;
  kill(getpid(), todo == "SIGINT" ? SIGINT : SIGTERM);
  return false;
}

// Ends the program, or says with which errno the call fails.
int what_happens() {
  static const std::string_view todo = setting("CRANE_FIRE_DO");
  if (todo != "kill") return atoi(todo.data());
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// Bytes of `count` that still have room.
size_t takes_room(size_t count) {
  if (room.load() == -2) room.store(number_of("CRANE_FIRE_ROOM"));
  if (room.load() < 0) return count;
  const auto free = static_cast<size_t>(room.load());
  const size_t taken = std::min(count, free);
  room.store(static_cast<long>(free - taken));
  return taken;
}

bool has_limited_room() {
  if (room.load() == -2) room.store(number_of("CRANE_FIRE_ROOM"));
  return room.load() >= 0;
}

// write_some(n) writes the first n bytes. @returns what the call returns
template <typename Write>
ssize_t watched_write(int descriptor, size_t count, Write write_some) {
  static const bool counts = is_counted("write");
  if ((!counts && !has_limited_room()) || !is_watched(descriptor)) return write_some(count);
  if (has_limited_room() && count > 0) {
    const size_t taken = takes_room(count);
    if (taken > 0) return write_some(taken);
    errno = ENOSPC;
    return -1;
  }
  if (!counts || !is_the_one('w')) return write_some(count);
  // Half of it is on the disk by then.
  if (count > 1) write_some(count / 2);
  errno = what_happens();
  return -1;
}

// Whether the code at `address` is the engine's own.
bool is_of_engine(void* address) {
  Dl_info info;
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr && strstr(info.dli_fname, "crane_engine") != nullptr;
}

bool fails_for_memory(void* caller) {
  static thread_local bool is_inside = false;
  static const bool counts = is_counted("alloc");
  if (!counts || is_inside || last.load() <= 0) return false;
  is_inside = true;
  const bool fails = is_of_engine(caller) && is_the_one('a');
  is_inside = false;
  return fails;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  return watched_write(descriptor, count, [&](size_t n) { return next(descriptor, bytes, n); });
}

ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return watched_write(descriptor, count, [&](size_t n) { return next(descriptor, bytes, n, offset); });
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return pwrite64(descriptor, bytes, count, offset);
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
  static const auto next = real<ssize_t (*)(int, const iovec*, int)>("writev");
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return watched_write(descriptor, bytes, [&](size_t n) {
    if (n == bytes) return next(descriptor, parts, count);
    return write(descriptor, parts[0].iov_base, std::min(n, parts[0].iov_len));
  });
}

int fsync(int descriptor) {
  static const auto next = real<int (*)(int)>("fsync");
  if (is_counted("fsync") && is_watched(descriptor) && is_the_one('f')) {
    errno = what_happens();
    return -1;
  }
  return next(descriptor);
}

int fdatasync(int descriptor) {
  static const auto next = real<int (*)(int)>("fdatasync");
  if (is_counted("fsync") && is_watched(descriptor) && is_the_one('f')) {
    errno = what_happens();
    return -1;
  }
  return next(descriptor);
}

int rename(const char* from, const char* to) {
  static const auto next = real<int (*)(const char*, const char*)>("rename");
  const std::string_view order = from;
  if (order.starts_with("/crane-fire/at/")) {
    calls.store(0);
    last.store(atol(from + strlen("/crane-fire/at/")));
    return 0;
  }
  if (is_counted("rename") && is_watched(std::string_view(to)) && is_the_one('r')) {
    errno = what_happens();
    return -1;
  }
  return next(from, to);
}

int open64(const char* path, int flags, ...) {
  static const auto next = real<int (*)(const char*, int, ...)>("open64");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (is_watched(std::string_view(path)) && is_counted("open") && is_the_one('o')) {
    errno = what_happens();
    return -1;
  }
  return next(path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open64(path, flags, mode);
}

void* mmap64(void* address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
  static const auto next = real<void* (*)(void*, size_t, int, int, int, off64_t)>("mmap64");
  if (descriptor >= 0 && is_counted("mmap") && is_watched_when_mapped(descriptor) && is_the_one('m')) {
    errno = what_happens();
    return MAP_FAILED;
  }
  return next(address, length, protection, flags, descriptor, offset);
}

void* mmap(void* address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  return mmap64(address, length, protection, flags, descriptor, offset);
}

// Threads of C++; a pool of C that cannot start one ends its program by itself.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  static const auto next =
      real<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  Dl_info info;
  void* const caller = __builtin_return_address(0);
  const bool is_of_cpp = dladdr(caller, &info) != 0 && info.dli_fname != nullptr && strstr(info.dli_fname, "libstdc++") != nullptr;
  if (is_counted("thread") && is_of_cpp && is_the_one('t')) return what_happens();
  return next(thread, attributes, start, argument);
}

extern void* __libc_malloc(size_t);

void* malloc(size_t size) {
  if (fails_for_memory(__builtin_return_address(0))) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_malloc(size);
}
}

void* operator new(size_t size) {
  if (fails_for_memory(__builtin_return_address(0))) throw std::bad_alloc();
  for (;;) {
    if (void* taken = malloc(size)) return taken;
    const auto handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
