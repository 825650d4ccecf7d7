#include "weights/zip.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "weights/tensor_view.h"

namespace crane::weights {

namespace {

// Record names, sizes and fields: the zip application note, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.
constexpr uint32_t k_local_signature = 0x04034b50;
constexpr uint32_t k_central_signature = 0x02014b50;
constexpr uint32_t k_end_signature = 0x06054b50;
constexpr uint32_t k_end64_signature = 0x06064b50;
constexpr uint32_t k_end64_locator_signature = 0x07064b50;
constexpr size_t k_local_bytes = 30;
constexpr size_t k_central_bytes = 46;
constexpr size_t k_end_bytes = 22;
constexpr size_t k_end64_bytes = 56;
constexpr size_t k_end64_locator_bytes = 20;
constexpr size_t k_max_comment = 65535;
constexpr size_t k_max_members = size_t{1} << 20;
constexpr uint16_t k_zip64_extra = 1;
constexpr uint16_t k_method_stored = 0;
constexpr uint16_t k_method_deflated = 8;
constexpr uint16_t k_flag_encrypted = 1;
constexpr uint16_t k_flag_sizes_follow =
    8;  // the local header's sizes are zero, a descriptor follows the data

// Little-endian reads that cannot leave the file; without `what` the caller has checked the range.
class Bytes {
 public:
  Bytes(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  size_t size() const { return bytes_.size(); }
  const std::string& path() const { return path_; }

  template <typename T>
  T at(uint64_t offset) const {
    require(offset, sizeof(T), "a field");
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }
  uint16_t u16(uint64_t offset) const { return at<uint16_t>(offset); }
  uint32_t u32(uint64_t offset) const { return at<uint32_t>(offset); }
  uint64_t u64(uint64_t offset) const { return at<uint64_t>(offset); }

  std::string_view text(uint64_t offset, size_t size) const {
    require(offset, size, "a name");
    return {reinterpret_cast<const char*>(bytes_.data()) + offset, size};
  }

  void require(uint64_t offset, uint64_t size, const char* what) const {
    check_input(offset <= bytes_.size() && size <= bytes_.size() - offset, "E_WEIGHTS_CONTAINER", path_,
                ": zip: ", what, " at byte ", offset, " lies beyond the end of the file (", bytes_.size(),
                " bytes)");
  }

  template <typename... Parts>
  void check(bool condition, const Parts&... parts) const {
    check_input(condition, "E_WEIGHTS_CONTAINER", path_, ": zip: ", parts...);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
};

struct Directory {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t count = 0;
  uint64_t limit = 0;  // where the records behind the directory begin
};

// The end record is searched from the back; it counts only when its comment reaches exactly to the end.
size_t find_end_record(const Bytes& file) {
  if (file.size() >= k_end_bytes) {
    const size_t last = file.size() - k_end_bytes;
    const size_t first = last > k_max_comment ? last - k_max_comment : 0;
    for (size_t at = last + 1; at-- > first;) {
      if (file.u32(at) == k_end_signature && file.u16(at + 20) == file.size() - at - k_end_bytes) return at;
    }
  }
  throw Error("E_WEIGHTS_TRUNCATED",
              join_text(file.path(), ": zip: the end record is missing (", file.size(), " bytes)"),
              "the file is cut off: fetch or copy it again");
}

Directory read_end64(const Bytes& file, size_t locator) {
  const uint64_t at = file.u64(locator + 8);
  file.check(file.u32(locator + 4) == 0 && file.u32(locator + 16) <= 1,
             "an archive of several disks is not read");
  file.check(at <= locator && locator - at >= k_end64_bytes, "the zip64 end record at byte ", at,
             " lies beyond its locator");
  file.check(file.u32(at) == k_end64_signature, "no zip64 end record at byte ", at);
  file.check(file.u64(at + 4) == locator - at - 12, "the zip64 end record has a wrong size");
  file.check(file.u32(at + 16) == 0 && file.u32(at + 20) == 0 && file.u64(at + 24) == file.u64(at + 32),
             "an archive of several disks is not read");
  return {file.u64(at + 48), file.u64(at + 40), file.u64(at + 32), at};
}

Directory read_end(const Bytes& file) {
  const size_t end = find_end_record(file);
  file.check(file.u16(end + 4) == 0 || file.u16(end + 4) == 0xffff,
             "an archive of several disks is not read");
  Directory directory{file.u32(end + 16), file.u32(end + 12), file.u16(end + 10), end};
  if (end >= k_end64_locator_bytes && file.u32(end - k_end64_locator_bytes) == k_end64_locator_signature) {
    const Directory wide = read_end64(file, end - k_end64_locator_bytes);
    file.check((directory.offset == 0xffffffff || directory.offset == wide.offset) &&
                   (directory.size == 0xffffffff || directory.size == wide.size) &&
                   (directory.count == 0xffff || directory.count == wide.count),
               "the end record and its zip64 form disagree");
    directory = wide;
  } else {
    file.check(file.u16(end + 8) == directory.count, "an archive of several disks is not read");
  }
  file.check(directory.offset <= directory.limit && directory.size == directory.limit - directory.offset,
             "the central directory (", directory.size, " bytes at ", directory.offset,
             ") does not end at byte ", directory.limit);
  // Each entry takes 46 bytes at least, so the count cannot make us reserve more than the file holds.
  file.check(directory.count <= k_max_members && directory.count <= directory.size / k_central_bytes,
             "a central directory of ", directory.size, " bytes cannot hold ", directory.count, " members");
  return directory;
}

// Sizes and offset of a member whose 32-bit fields are full: in the order of the fields that are full.
void read_zip64_extra(const Bytes& file, uint64_t extra, size_t extra_bytes, const std::string& name,
                      uint64_t* const (&fields)[3]) {
  const uint64_t end = extra + extra_bytes;
  bool wanted = false;
  for (const uint64_t* field : fields) wanted = wanted || *field == 0xffffffff;
  if (!wanted) return;
  for (uint64_t at = extra; at + 4 <= end;) {
    const uint16_t id = file.u16(at);
    const uint64_t size = file.u16(at + 2);
    file.check(size <= end - at - 4, "an extra field of member ", quote_name(name),
               " is longer than its record");
    if (id == k_zip64_extra) {
      uint64_t next = at + 4;
      for (uint64_t* field : fields) {
        if (*field != 0xffffffff) continue;
        file.check(next + 8 <= at + 4 + size, "the zip64 field of member ", quote_name(name),
                   " is too short");
        *field = file.u64(next);
        next += 8;
      }
      return;
    }
    at += 4 + size;
  }
  file.check(false, "member ", quote_name(name), " lacks its zip64 field");
}

struct LocatedMember {
  ZipMember member;
  uint64_t header = 0;  // of the local header
};

// Checks the local header against the central one and finds the data behind it.
void locate(const Bytes& file, const Directory& directory, LocatedMember& located, uint16_t flags,
            uint16_t method, uint64_t full_size) {
  ZipMember& member = located.member;
  const uint64_t at = located.header;
  const std::string shown = quote_name(member.name);
  file.check(
      at <= directory.offset && directory.offset - at >= k_local_bytes && file.u32(at) == k_local_signature,
      "member ", shown, " has no local header at byte ", at);
  const size_t name_bytes = file.u16(at + 26);
  const size_t extra_bytes = file.u16(at + 28);
  file.check(name_bytes == member.name.size() && file.text(at + k_local_bytes, name_bytes) == member.name,
             "the local header of member ", shown, " bears another name");
  file.check(file.u16(at + 8) == method, "the headers of member ", shown, " disagree on the method");
  if ((flags & k_flag_sizes_follow) == 0) {
    const uint32_t local_size = file.u32(at + 18);
    const uint32_t local_full = file.u32(at + 22);
    file.check((local_size == member.size || local_size == 0xffffffff) &&
                   (local_full == full_size || local_full == 0xffffffff),
               "the headers of member ", shown, " disagree on its size");
  }
  member.offset = at + k_local_bytes + name_bytes + extra_bytes;
  file.check(member.offset <= directory.offset && member.size <= directory.offset - member.offset, "member ",
             shown, " (", member.size, " bytes at ", member.offset,
             ") reaches into the central directory at ", directory.offset);
}

// Reads one entry of the central directory and returns where the next begins.
uint64_t read_member(const Bytes& file, const Directory& directory, uint64_t at, LocatedMember& located) {
  const uint64_t end = directory.offset + directory.size;
  file.check(end - at >= k_central_bytes && file.u32(at) == k_central_signature,
             "no entry of the central directory at byte ", at);
  const uint16_t flags = file.u16(at + 8);
  const uint16_t method = file.u16(at + 10);
  const size_t name_bytes = file.u16(at + 28);
  const size_t extra_bytes = file.u16(at + 30);
  const size_t comment_bytes = file.u16(at + 32);
  file.check(end - at - k_central_bytes >= name_bytes + extra_bytes + comment_bytes, "an entry at byte ", at,
             " leaves the central directory");
  ZipMember& member = located.member;
  member.name = file.text(at + k_central_bytes, name_bytes);
  const std::string shown = quote_name(member.name);
  file.check(!member.name.empty(), "a member without a name");
  file.check((flags & k_flag_encrypted) == 0, "member ", shown, " is encrypted");
  file.check(method == k_method_stored || method == k_method_deflated, "member ", shown,
             " is packed by method ", method, ", expected 0 (stored)");
  member.crc32 = file.u32(at + 16);
  member.stored = method == k_method_stored;
  uint64_t size = file.u32(at + 20);
  uint64_t full_size = file.u32(at + 24);
  located.header = file.u32(at + 42);
  // The application note's order: original size, packed size, offset.
  read_zip64_extra(file, at + k_central_bytes + name_bytes, extra_bytes, member.name,
                   {&full_size, &size, &located.header});
  file.check(!member.stored || size == full_size, "stored member ", shown, " has two sizes");
  member.size = size;
  locate(file, directory, located, flags, method, full_size);
  return at + k_central_bytes + name_bytes + extra_bytes + comment_bytes;
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::string path)
    : bytes_(bytes), path_(std::move(path)) {
  const Bytes file(bytes_, path_);
  const Directory directory = read_end(file);
  members_.reserve(directory.count);
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // [local header, end of data)
  extents.reserve(directory.count);
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.count; ++i) {
    LocatedMember located;
    at = read_member(file, directory, at, located);
    file.check(by_name_.emplace(located.member.name, members_.size()).second, "member ",
               quote_name(located.member.name), " is there twice");
    extents.emplace_back(located.header, located.member.offset + located.member.size);
    members_.push_back(std::move(located.member));
  }
  file.check(at == directory.offset + directory.size, "the central directory holds more than its ",
             directory.count, " members");
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    file.check(extents[i].first >= extents[i - 1].second, "two members overlap at byte ", extents[i].first);
  }
}

const ZipMember* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &members_[found->second];
}

std::span<const std::byte> ZipArchive::bytes(const ZipMember& member) const {
  if (!member.stored) {
    throw Error(
        "E_WEIGHTS_CONTAINER",
        join_text(path_, ": member ", quote_name(member.name), " is compressed, expected a stored member"),
        "re-pack it without compression (unzip, then zip -0 -r), or save it again with torch.save");
  }
  return bytes_.subspan(member.offset, member.size);
}

void ZipArchive::verify_checksums() const {
  for (const ZipMember& member : members_) {
    if (!member.stored) continue;
    const uint32_t found = crc32(bytes(member));
    if (found == member.crc32) continue;
    throw Error("E_WEIGHTS_HASH",
                join_text(path_, ": member ", quote_name(member.name), " has CRC-32 ", std::hex, found,
                          ", expected ", member.crc32),
                "the file is damaged: fetch or copy it again");
  }
}

}  // namespace crane::weights
