// The fibres under cuda_runtime.h of this folder.
#include <ucontext.h>

#include <csetjmp>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

#include "cuda_runtime.h"

namespace crane::cuda::emulated {
namespace {

constexpr size_t k_stack_bytes = 128 * 1024;
constexpr size_t k_warp = 32;

struct Copy {
  void* dst;
  const void* src;
  bool is_there;
};

// Threads that wait for each other: a warp, or a block.
struct Meeting {
  std::vector<void*> parts;
  int arrived = 0;
  int generation = 0;
};

struct Fibre {
  ucontext_t context{};  // for its first step; then `rest`, since a jump makes no system call
  std::jmp_buf rest{};
  bool has_begun = false;
  std::unique_ptr<unsigned char[]> stack = std::make_unique_for_overwrite<unsigned char[]>(k_stack_bytes);
  Place place{};
  int index = 0;
  bool has_ended = false;
  Meeting* waits_for = nullptr;  // null: can go on
  int since = 0;                 // generation of the meeting when it arrived
  std::vector<Copy> open;
  std::deque<std::vector<Copy>> groups;
};

// One block at a time.
struct Block {
  std::vector<std::unique_ptr<Fibre>> fibres;
  std::vector<Meeting> warps;
  Meeting all;
  std::vector<unsigned char> memory;
  Fibre* running = nullptr;
  std::jmp_buf scheduler{};
  const std::function<void()>* thread = nullptr;
  std::exception_ptr error;
};

thread_local Block* current = nullptr;
thread_local Schedule schedule = Schedule::late;

void run_fibre() {
  Fibre& fibre = *current->running;
  try {
    (*current->thread)();
  } catch (...) {
    current->error = std::current_exception();
  }
  fibre.has_ended = true;
  _longjmp(current->scheduler, 1);
}

void meet(Meeting& meeting, int index, int count, void* part, Together together) {
  Fibre& fibre = *current->running;
  meeting.parts.resize(static_cast<size_t>(count));
  meeting.parts[static_cast<size_t>(index)] = part;
  if (++meeting.arrived == count) {
    together(meeting.parts.data(), count);
    meeting.arrived = 0;
    ++meeting.generation;
    return;
  }
  fibre.waits_for = &meeting;
  fibre.since = meeting.generation;
  if (_setjmp(fibre.rest) == 0) _longjmp(current->scheduler, 1);
}

void finish(const Copy& copy) {
  if (copy.is_there) {
    std::memcpy(copy.dst, copy.src, 16);
  } else {
    std::memset(copy.dst, 0, 16);
  }
}

// Until the fibre waits or ends.
void run(Block& block, Fibre& fibre) {
  block.running = &fibre;
  if (_setjmp(block.scheduler) != 0) return;
  if (fibre.has_begun) _longjmp(fibre.rest, 1);
  fibre.has_begun = true;
  setcontext(&fibre.context);
}

// Runs each thread of the warp that can go on until it waits; false where none can.
bool run_warp(Block& block, size_t warp) {
  bool has_moved = false;
  for (size_t lane = 0; lane < k_warp; ++lane) {
    Fibre& fibre = *block.fibres[warp * k_warp + lane];
    const bool waits = fibre.waits_for != nullptr && fibre.waits_for->generation == fibre.since;
    if (fibre.has_ended || waits) continue;
    fibre.waits_for = nullptr;
    has_moved = true;
    run(block, fibre);
    if (block.error) std::rethrow_exception(block.error);
  }
  return has_moved;
}

void run_block(Block& block) {
  for (auto& fibre : block.fibres) {
    getcontext(&fibre->context);
    fibre->context.uc_stack.ss_sp = fibre->stack.get();
    fibre->context.uc_stack.ss_size = k_stack_bytes;
    fibre->context.uc_link = nullptr;
    makecontext(&fibre->context, run_fibre, 0);
    fibre->has_ended = false;
    fibre->has_begun = false;
    fibre->waits_for = nullptr;
    fibre->open.clear();
    fibre->groups.clear();
  }
  for (Meeting& warp : block.warps) warp = {};
  block.all = {};
  // A warp runs until it waits for the block, then the next one: as far apart as a barrier lets them come.
  const auto warps = block.warps.size();
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (size_t i = 0; i < warps; ++i) {
      const size_t warp = schedule == Schedule::late ? i : warps - 1 - i;
      while (run_warp(block, warp)) has_moved = true;
    }
  }
  for (const auto& fibre : block.fibres) {
    if (!fibre->has_ended) throw std::runtime_error("threads of a block wait for others for ever");
  }
}

}  // namespace

void set_schedule(Schedule wanted) { schedule = wanted; }

const Place& place() { return current->running->place; }

void with_warp(void* part, Together together) {
  const auto index = static_cast<size_t>(current->running->index);
  meet(current->warps[index / k_warp], static_cast<int>(index % k_warp), k_warp, part, together);
}

void with_block(void* part, Together together) {
  meet(current->all, current->running->index, static_cast<int>(current->fibres.size()), part, together);
}

unsigned char* block_bytes() {
  const auto address = reinterpret_cast<uintptr_t>(current->memory.data());
  return current->memory.data() + (128 - address % 128) % 128;
}

void queue_copy(void* dst, const void* src, bool is_there) {
  if (reinterpret_cast<uintptr_t>(dst) % 16 != 0 || reinterpret_cast<uintptr_t>(src) % 16 != 0) {
    throw std::runtime_error("an asynchronous copy that is not aligned to 16 bytes");
  }
  if (schedule == Schedule::early) {
    finish({dst, src, is_there});
  } else {
    current->running->open.push_back({dst, src, is_there});
  }
}

void close_group() {
  Fibre& fibre = *current->running;
  fibre.groups.push_back(std::move(fibre.open));
  fibre.open.clear();
}

void finish_groups(int pending) {
  Fibre& fibre = *current->running;
  while (static_cast<int>(fibre.groups.size()) > pending) {
    for (const Copy& copy : fibre.groups.front()) finish(copy);
    fibre.groups.pop_front();
  }
}

void run_grid(dim3 blocks, int threads, size_t block_bytes, const std::function<void()>& thread) {
  if (threads % 32 != 0 || threads < 1) throw std::runtime_error("a block that is no number of warps");
  Block block;
  block.thread = &thread;
  block.warps.resize(static_cast<size_t>(threads) / k_warp);
  for (int i = 0; i < threads; ++i) {
    block.fibres.push_back(std::make_unique<Fibre>());
    block.fibres.back()->index = i;
  }
  Block* const outer = current;
  current = &block;
  try {
    for (unsigned z = 0; z < blocks.z; ++z) {
      for (unsigned y = 0; y < blocks.y; ++y) {
        for (unsigned x = 0; x < blocks.x; ++x) {
          block.memory.assign(block_bytes + 128, 0xff);
          for (auto& fibre : block.fibres) {
            fibre->place = {dim3(static_cast<unsigned>(fibre->index)), dim3(x, y, z),
                            dim3(static_cast<unsigned>(threads)), blocks};
          }
          run_block(block);
        }
      }
    }
  } catch (...) {
    current = outer;
    throw;
  }
  current = outer;
}

}  // namespace crane::cuda::emulated
