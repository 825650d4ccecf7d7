#include "weights/zip.h"

#include <gtest/gtest.h>

#include "error_of.h"
#include "forged_files.h"

namespace crane::weights {
namespace {

ForgedZip two_members() {
  ForgedZip zip;
  zip.members = {{"a/x", "hello"}, {"a/y", "world!"}};
  return zip;
}

Thrown read(const std::string& bytes) {
  return thrown_by([&] { ZipArchive(std::as_bytes(std::span(bytes)), "t.zip"); });
}

std::string member_text(const ZipArchive& zip, const char* name) {
  const auto bytes = zip.bytes(*zip.find(name));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Zip, ReadsStoredMembers) {
  const std::string bytes = two_members().bytes();
  const ZipArchive zip(std::as_bytes(std::span(bytes)), "t.zip");
  ASSERT_EQ(zip.members().size(), 2u);
  EXPECT_EQ(member_text(zip, "a/x"), "hello");
  EXPECT_EQ(member_text(zip, "a/y"), "world!");
  EXPECT_EQ(zip.find("a"), nullptr);
  zip.verify_checksums();
}

TEST(Zip, ReadsZip64MembersAndEndRecords) {
  for (const bool member64 : {false, true}) {
    for (const bool end64 : {false, true}) {
      ForgedZip forged = two_members();
      forged.zip64_end = end64;
      for (ForgedMember& member : forged.members) member.zip64 = member64;
      const std::string bytes = forged.bytes();
      const ZipArchive zip(std::as_bytes(std::span(bytes)), "t.zip");
      EXPECT_EQ(member_text(zip, "a/y"), "world!");
    }
  }
}

TEST(Zip, ReadsACommentAndSizesThatFollowTheData) {
  ForgedZip forged = two_members();
  forged.comment = "made by hand";
  for (ForgedMember& member : forged.members) member.flags = 8;
  const std::string bytes = forged.bytes();
  EXPECT_EQ(member_text(ZipArchive(std::as_bytes(std::span(bytes)), "t.zip"), "a/x"), "hello");
}

TEST(Zip, ACompressedMemberIsRefusedWithAHintWhenItIsNeeded) {
  ForgedZip forged = two_members();
  forged.members[0].method = 8;
  const std::string bytes = forged.bytes();
  const ZipArchive zip(std::as_bytes(std::span(bytes)), "t.zip");
  const Thrown thrown = thrown_by([&] { zip.bytes(*zip.find("a/x")); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_CONTAINER");
  EXPECT_TRUE(contains(thrown.message, "\"a/x\" is compressed")) << thrown.message;
  EXPECT_FALSE(thrown.hint.empty());
  EXPECT_EQ(member_text(zip, "a/y"), "world!");
}

TEST(Zip, EveryLieInTheRecordsIsRefused) {
  struct Lie {
    const char* what;
    void (*tell)(ForgedZip&);
    const char* code = "E_WEIGHTS_CONTAINER";
  };
  const Lie lies[] = {
      {"method", [](ForgedZip& z) { z.members[0].method = 12; }},
      {"encrypted", [](ForgedZip& z) { z.members[0].flags = 1; }},
      {"same name", [](ForgedZip& z) { z.members[1].name = "a/x"; }},
      {"no name", [](ForgedZip& z) { z.members[1].name = ""; }},
      {"other local name", [](ForgedZip& z) { z.members[0].local_name = "a/z"; }},
      {"longer local name", [](ForgedZip& z) { z.members[0].local_name = "a/xx"; }},
      {"offset +1", [](ForgedZip& z) { z.members[0].offset_shift = 1; }},
      {"offset -1", [](ForgedZip& z) { z.members[1].offset_shift = -1; }},
      {"offset far", [](ForgedZip& z) { z.members[0].offset_shift = 100000; }},
      {"offset to the other", [](ForgedZip& z) { z.members[1].offset_shift = -38; }},
      {"size +1", [](ForgedZip& z) { z.members[0].size_shift = 1; }},
      {"size -1", [](ForgedZip& z) { z.members[0].size_shift = -1; }},
      {"size far", [](ForgedZip& z) { z.members[1].size_shift = 100000; }},
      {"hidden size +1", [](ForgedZip& z) { z.members[0].flags = 8, z.members[0].size_shift = 1; }},
      {"hidden size into the directory",
       [](ForgedZip& z) { z.members[1].flags = 8, z.members[1].size_shift = 1; }},
      {"hidden size far", [](ForgedZip& z) { z.members[1].flags = 8, z.members[1].size_shift = 1 << 20; }},
      {"text behind the directory", [](ForgedZip& z) { z.gap = "gap"; }},
      {"zip64 offset huge", [](ForgedZip& z) { z.members[0].zip64 = true, z.members[0].offset_shift = -1; }},
      {"zip64 size huge",
       [](ForgedZip& z) { z.members[0].zip64 = true, z.members[0].size_shift = INT64_MAX - 5; }},
      {"count +1", [](ForgedZip& z) { z.count_shift = 1; }},
      {"count -1", [](ForgedZip& z) { z.count_shift = -1; }},
      {"count max", [](ForgedZip& z) { z.count_shift = 65533; }},
      {"directory +1", [](ForgedZip& z) { z.directory_offset_shift = 1; }},
      {"directory -1", [](ForgedZip& z) { z.directory_offset_shift = -1; }},
      {"directory size +1", [](ForgedZip& z) { z.directory_size_shift = 1; }},
      {"directory size -1", [](ForgedZip& z) { z.directory_size_shift = -1; }},
      {"disk", [](ForgedZip& z) { z.disk = 1; }},
      {"zip64 count", [](ForgedZip& z) { z.zip64_end = true, z.count_shift = INT32_MAX; }},
      {"zip64 directory", [](ForgedZip& z) { z.zip64_end = true, z.directory_offset_shift = INT32_MAX; }},
      {"zip64 directory size", [](ForgedZip& z) { z.zip64_end = true, z.directory_size_shift = INT32_MAX; }},
  };
  int told = 0;
  for (const Lie& lie : lies) {
    ForgedZip forged = two_members();
    lie.tell(forged);
    EXPECT_EQ(read(forged.bytes()).code, lie.code) << lie.what;
    ++told;
  }
  std::printf("%d lies refused\n", told);
}

TEST(Zip, ExtraFieldsThatRunOutAreRefused) {
  ForgedZip forged = two_members();
  forged.members[0].zip64 = true;
  std::string bytes = forged.bytes();
  const size_t extra = bytes.find(le<uint16_t>(1) + le<uint16_t>(24));
  ASSERT_NE(extra, std::string::npos);
  for (const uint16_t size : {0, 8, 16, 23, 25, 65535}) {
    std::string broken = bytes;
    broken.replace(extra + 2, 2, le(size));
    EXPECT_EQ(read(broken).code, "E_WEIGHTS_CONTAINER") << size;
  }
  std::string other_id = bytes;
  other_id[extra] = 2;
  EXPECT_EQ(read(other_id).code, "E_WEIGHTS_CONTAINER");
}

TEST(Zip, TextBehindTheEndIsRefused) {
  EXPECT_EQ(read(two_members().bytes() + "x").code, "E_WEIGHTS_TRUNCATED");
}

TEST(Zip, ChecksumsFindAChangedByte) {
  std::string bytes = two_members().bytes();
  bytes[bytes.find("hello")] = 'j';
  const ZipArchive zip(std::as_bytes(std::span(bytes)), "t.zip");
  const Thrown thrown = thrown_by([&] { zip.verify_checksums(); });
  EXPECT_EQ(thrown.code, "E_WEIGHTS_HASH");
  EXPECT_TRUE(contains(thrown.message, "\"a/x\"")) << thrown.message;
}

TEST(Zip, Crc32HasItsPublishedCheckValue) {
  EXPECT_EQ(crc32(std::as_bytes(std::span("123456789", 9))), 0xcbf43926u);
  EXPECT_EQ(crc32({}), 0u);
}

}  // namespace
}  // namespace crane::weights
