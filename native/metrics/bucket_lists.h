// Values partitioned by the upper 16 bits of their score's key. One writer at a time.
//
// The partition is the first digit of a most-significant-digit radix sort, made while pictures arrive: what
// remains of a key fits 16 bits, so a normal pixel is held in two bytes, and everything later happens within
// one bucket, in cache. Scores of real maps share few exponents: some hundred lists are in use, and their
// ends stay in the first-level cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace crane::metrics {

constexpr uint32_t k_buckets = 1u << 16;
constexpr uint32_t k_low_values = 1u << 16;  // what the lower 16 bits can be

template <typename Value>
class BucketLists {
  static_assert(std::is_trivially_copyable_v<Value>);

 public:
  // A list never holds more; it is then handed to `drain` and starts again, which bounds the memory.
  static constexpr size_t k_most = 1u << 16;

  BucketLists() : ends_(zeroed<End>()), bases_(zeroed<Value*>()) {}
  ~BucketLists() {
    for (uint32_t bucket = 0; bucket < k_buckets; ++bucket) std::free(bases_[bucket]);
  }
  BucketLists(const BucketLists&) = delete;
  BucketLists& operator=(const BucketLists&) = delete;

  // drain(bucket, values) takes a full list.
  template <typename Drain>
  void append(uint32_t bucket, Value value, Drain& drain) {
    End& end = ends_[bucket];
    if (end.next == end.limit) [[unlikely]]
      make_room(bucket, drain);
    *end.next++ = value;
  }

  std::span<Value> values(uint32_t bucket) const {
    return {bases_[bucket], static_cast<size_t>(ends_[bucket].next - bases_[bucket])};
  }

  void release(uint32_t bucket) {
    std::free(bases_[bucket]);
    bases_[bucket] = nullptr;
    ends_[bucket] = {};
  }

 private:
  struct End {
    Value* next;
    Value* limit;
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  template <typename T>
  using Zeroed = std::unique_ptr<T[], Free>;

  // Pages that no score touches are never made.
  template <typename T>
  static Zeroed<T> zeroed() {
    void* memory = std::calloc(k_buckets, sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return Zeroed<T>(static_cast<T*>(memory));
  }

  template <typename Drain>
  void make_room(uint32_t bucket, Drain& drain) {
    End& end = ends_[bucket];
    Value*& base = bases_[bucket];
    const auto size = static_cast<size_t>(end.next - base);
    if (size == k_most) {
      drain(bucket, std::span<Value>(base, size));
      end.next = base;
      return;
    }
    const size_t capacity = size == 0 ? 32 : 2 * size;
    void* memory = std::realloc(static_cast<void*>(base), capacity * sizeof(Value));
    if (memory == nullptr) throw std::bad_alloc();
    base = static_cast<Value*>(memory);
    end = {base + size, base + capacity};
  }

  Zeroed<End> ends_;
  Zeroed<Value*> bases_;
};

}  // namespace crane::metrics
