// Preloaded into a program under test: how many bytes are allocated, told apart by who asked for them. What the program's own file
// asks for (node: V8, libuv, its C++) is one sum, what every shared library asks for (the engine, libtorch, sharp) the other:
// a lost object of ours is not to be looked for in V8's noise.
//
// A program steers it by renaming: /crane-fire/memory to FILE writes "NODE NATIVE" into FILE; /crane-fire/stacks to FILE
// writes a line "BYTES COUNT STACK" for each place that blocks come from (CRANE_FIRE_STACKS=native or node, slow);
// /crane-fire/lose loses 64 bytes, the planted bug of the suite.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

namespace {

struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool holds(uintptr_t address) const { return address >= begin && address < end; }
};

// What is loaded before main and never moves: the program, and the libraries that allocate on behalf of others.
Range program;
Range helpers[8];
size_t helper_count = 0;
// Whose places are noted: 0 node's own, 1 those of shared libraries.
int stacks_of = -1;
thread_local bool is_inside = false;

int note_module(dl_phdr_info* info, size_t, void* first) {
  Range range{UINTPTR_MAX, 0};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    range.begin = std::min<uintptr_t>(range.begin, info->dlpi_addr + part.p_vaddr);
    range.end = std::max<uintptr_t>(range.end, info->dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  if (*static_cast<bool*>(first)) {
    program = range;
    *static_cast<bool*>(first) = false;
    return 0;
  }
  const std::string_view name = info->dlpi_name;
  for (const char* helper : {"libstdc++", "libc.so", "libgcc_s", "ld-linux", "libpthread"})
    if (name.find(helper) != std::string_view::npos && helper_count < std::size(helpers)) helpers[helper_count++] = range;
  return 0;
}

bool is_helper(uintptr_t address) {
  for (size_t i = 0; i < helper_count; ++i)
    if (helpers[i].holds(address)) return true;
  return false;
}

constexpr size_t k_frames = 14;
struct Walk {
  uintptr_t frames[k_frames];
  size_t count = 0;
  size_t wanted = 1;
};

// Frames of the libraries that ask for others are passed over, and this library's own.
_Unwind_Reason_Code step(_Unwind_Context* context, void* into) {
  auto& walk = *static_cast<Walk*>(into);
  const uintptr_t at = _Unwind_GetIP(context);
  static const Range own = [] {
    Dl_info info;
    dladdr(reinterpret_cast<void*>(&note_module), &info);
    const auto base = reinterpret_cast<uintptr_t>(info.dli_fbase);
    return Range{base, base + (1 << 16)};
  }();
  if (at == 0) return _URC_END_OF_STACK;
  if (walk.count == 0 && (own.holds(at) || is_helper(at))) return _URC_NO_REASON;
  walk.frames[walk.count++] = at;
  return walk.count == walk.wanted ? _URC_END_OF_STACK : _URC_NO_REASON;
}

// A lock that asks for no memory.
class Lock {
 public:
  explicit Lock(std::atomic_flag& flag) : flag_(flag) {
    while (flag_.test_and_set(std::memory_order_acquire)) sched_yield();
  }
  ~Lock() { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& flag_;
};

template <typename T>
T* pages(size_t count) {
  void* taken = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (taken == MAP_FAILED) abort();
  return static_cast<T*>(taken);
}

struct Block {
  uintptr_t address;  // 0: none
  uint64_t bytes : 40;
  uint64_t stack : 23;
  uint64_t is_native : 1;
};

std::atomic<long> bytes_of[2];  // node's, native

struct Stack {
  uintptr_t frames[k_frames];
  long bytes;
  long count;
};
constexpr size_t k_stacks = 1 << 18;
Stack* stacks = nullptr;
std::atomic_flag stacks_lock;

// The place of the stack in the table of stacks.
size_t number_of(const Walk& walk) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < walk.count; ++i) hash = (hash ^ walk.frames[i]) * 1099511628211u;
  for (size_t at = hash % k_stacks;; at = (at + 1) % k_stacks) {
    Stack& stack = stacks[at];
    if (stack.frames[0] == 0) memcpy(stack.frames, walk.frames, walk.count * sizeof(uintptr_t));
    if (memcmp(stack.frames, walk.frames, walk.count * sizeof(uintptr_t)) == 0) return at;
  }
}

// Blocks by address: open addressing, what is taken away leaves no hole.
class Blocks {
 public:
  void add(const Block& block) {
    Lock lock(lock_);
    if (blocks_ == nullptr) blocks_ = pages<Block>(size_);
    if (count_ * 2 > size_) grow();
    put(block);
  }

  Block take(uintptr_t address) {
    Lock lock(lock_);
    if (blocks_ == nullptr) return {};
    size_t at = place_of(address);
    while (blocks_[at].address != address) {
      if (blocks_[at].address == 0) return {};
      at = (at + 1) & (size_ - 1);
    }
    const Block found = blocks_[at];
    for (size_t next = (at + 1) & (size_ - 1); blocks_[next].address != 0; next = (next + 1) & (size_ - 1)) {
      const size_t wanted = place_of(blocks_[next].address);
      if (((next - wanted) & (size_ - 1)) < ((next - at) & (size_ - 1))) continue;
      blocks_[at] = blocks_[next];
      at = next;
    }
    blocks_[at] = {};
    --count_;
    return found;
  }

 private:
  size_t place_of(uintptr_t address) const { return (address * 0x9E3779B97F4A7C15u) >> 20 & (size_ - 1); }

  void put(const Block& block) {
    size_t at = place_of(block.address);
    while (blocks_[at].address != 0) at = (at + 1) & (size_ - 1);
    blocks_[at] = block;
    ++count_;
  }

  void grow() {
    Block* const before = blocks_;
    const size_t size = size_;
    size_ *= 2;
    count_ = 0;
    blocks_ = pages<Block>(size_);
    for (size_t i = 0; i < size; ++i)
      if (before[i].address != 0) put(before[i]);
    munmap(before, size * sizeof(Block));
  }

  std::atomic_flag lock_;
  Block* blocks_ = nullptr;
  size_t size_ = 1 << 14;
  size_t count_ = 0;
};

Blocks shards[64];
Blocks& shard_of(uintptr_t address) { return shards[(address >> 4) * 0x9E3779B97F4A7C15u >> 58]; }

void* noted(void* taken, size_t bytes, void* caller) {
  if (taken == nullptr || is_inside) return taken;
  is_inside = true;
  static const bool is_ready = [] {
    bool is_first = true;
    dl_iterate_phdr(note_module, &is_first);
    const char* const wanted = getenv("CRANE_FIRE_STACKS");
    if (wanted != nullptr) {
      stacks = pages<Stack>(k_stacks);
      stacks_of = std::string_view(wanted) == "node" ? 0 : 1;
    }
    return true;
  }();
  static_cast<void>(is_ready);
  auto from = reinterpret_cast<uintptr_t>(caller);
  Walk walk;
  if (stacks_of >= 0) walk.wanted = k_frames;
  if (is_helper(from) || stacks_of == !program.holds(from)) {
    _Unwind_Backtrace(step, &walk);
    if (walk.count > 0) from = walk.frames[0];
  }
  Block block{reinterpret_cast<uintptr_t>(taken), bytes, 0, !program.holds(from)};
  if (stacks_of == static_cast<int>(block.is_native) && walk.count > 0) {
    Lock lock(stacks_lock);
    block.stack = number_of(walk);
    stacks[block.stack].bytes += static_cast<long>(bytes);
    ++stacks[block.stack].count;
  }
  bytes_of[block.is_native] += static_cast<long>(bytes);
  shard_of(block.address).add(block);
  is_inside = false;
  return taken;
}

void forget(void* given) {
  if (given == nullptr || is_inside) return;
  is_inside = true;
  const auto address = reinterpret_cast<uintptr_t>(given);
  const Block block = shard_of(address).take(address);
  if (block.address != 0) {
    bytes_of[block.is_native] -= static_cast<long>(block.bytes);
    if (stacks_of == static_cast<int>(block.is_native) && block.stack != 0) {
      Lock lock(stacks_lock);
      stacks[block.stack].bytes -= static_cast<long>(block.bytes);
      --stacks[block.stack].count;
    }
  }
  is_inside = false;
}

int new_file(const char* path) { return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); }

void write_memory(const char* path) {
  char text[64];
  const int length = snprintf(text, sizeof text, "%ld %ld\n", bytes_of[0].load(), bytes_of[1].load());
  const int file = new_file(path);
  if (write(file, text, static_cast<size_t>(length)) != length) abort();
  close(file);
}

void write_stacks(const char* path) {
  is_inside = true;
  FILE* const file = fdopen(new_file(path), "w");
  for (size_t i = 0; stacks != nullptr && i < k_stacks; ++i) {
    const Stack& stack = stacks[i];
    if (stack.bytes == 0) continue;
    fprintf(file, "%ld %ld", stack.bytes, stack.count);
    for (const uintptr_t frame : stack.frames) {
      Dl_info info;
      if (frame == 0 || dladdr(reinterpret_cast<void*>(frame), &info) == 0) continue;
      const char* const name = strrchr(info.dli_fname, '/');
      const auto base = reinterpret_cast<uintptr_t>(info.dli_fbase);
      fprintf(file, " %s+%lx(%s)", name == nullptr ? info.dli_fname : name + 1, frame - base, info.dli_sname == nullptr ? "" : info.dli_sname);
    }
    fputc('\n', file);
  }
  fclose(file);
  is_inside = false;
}

std::atomic<void*> lost{nullptr};

}  // namespace

#define CALLER __builtin_return_address(0)

extern "C" {

void* malloc(size_t bytes) { return noted(__libc_malloc(bytes), bytes, CALLER); }

void* calloc(size_t count, size_t each) { return noted(__libc_calloc(count, each), count * each, CALLER); }

void* realloc(void* given, size_t bytes) {
  forget(given);
  return noted(__libc_realloc(given, bytes), bytes, CALLER);
}

void* memalign(size_t alignment, size_t bytes) { return noted(__libc_memalign(alignment, bytes), bytes, CALLER); }

void* aligned_alloc(size_t alignment, size_t bytes) { return noted(__libc_memalign(alignment, bytes), bytes, CALLER); }

int posix_memalign(void** into, size_t alignment, size_t bytes) {
  void* const taken = noted(__libc_memalign(alignment, bytes), bytes, CALLER);
  if (taken == nullptr) return ENOMEM;
  *into = taken;
  return 0;
}

void free(void* given) {
  forget(given);
  __libc_free(given);
}

int rename(const char* from, const char* to) {
  static const auto next = reinterpret_cast<int (*)(const char*, const char*)>(dlsym(RTLD_NEXT, "rename"));
  const std::string_view order = from;
  if (order == "/crane-fire/memory") return write_memory(to), 0;
  if (order == "/crane-fire/stacks") return write_stacks(to), 0;
  if (order == "/crane-fire/lose") return lost.store(noted(__libc_malloc(64), 64, reinterpret_cast<void*>(&rename))), 0;
  return next(from, to);
}
}

namespace {

void* new_block(size_t bytes, size_t alignment, void* caller) {
  for (;;) {
    void* const taken = alignment == 0 ? __libc_malloc(bytes) : __libc_memalign(alignment, bytes);
    if (taken != nullptr) return noted(taken, bytes, caller);
    const auto handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

}  // namespace

void* operator new(size_t bytes) { return new_block(bytes, 0, CALLER); }
void* operator new[](size_t bytes) { return new_block(bytes, 0, CALLER); }
void* operator new(size_t bytes, std::align_val_t alignment) { return new_block(bytes, static_cast<size_t>(alignment), CALLER); }
void* operator new[](size_t bytes, std::align_val_t alignment) { return new_block(bytes, static_cast<size_t>(alignment), CALLER); }
