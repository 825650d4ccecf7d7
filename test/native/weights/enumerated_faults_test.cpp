// Malformed weight files, enumerated fault by fault: each has the code that it deserves and ends nothing
// else.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>

#include "error_of.h"
#include "forged_files.h"
#include "weights/name_map.h"
#include "weights/pickle_opcodes.h"
#include "weights/structure.h"

namespace crane::weights {
namespace {

struct Fault {
  std::string what;
  std::string bytes;
  std::string code;
};
using Faults = std::vector<Fault>;

constexpr const char* k_container = "E_WEIGHTS_CONTAINER";
constexpr const char* k_truncated = "E_WEIGHTS_TRUNCATED";
constexpr const char* k_pickle = "E_WEIGHTS_PICKLE";
constexpr const char* k_shape = "E_WEIGHTS_SHAPE";
constexpr const char* k_dtype = "E_WEIGHTS_DTYPE";

std::string data_of(size_t bytes) { return std::string(bytes, '\1'); }

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

// Of one tensor of 8 bytes.
std::string one_tensor(const std::string& value) {
  return forge_safetensors("{\"w\":" + value + "}", data_of(8));
}

void add_header_faults(Faults& out) {
  const std::string sound = "{\"w\":" + entry("\"F32\"", "[2]", "[0,8]") + "}";
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, (uint64_t{100} << 20) + 1, uint64_t{1} << 39}) {
    out.push_back({"header of " + std::to_string(size), le(size) + sound + data_of(8), k_container});
  }
  for (const uint64_t more : {9, 10, 64, 4096, 1 << 20}) {
    out.push_back(
        {"header longer than the file", le<uint64_t>(sound.size() + more) + sound + data_of(8), k_truncated});
  }
  for (size_t less = 1; less <= 8; ++less) {
    out.push_back({"data too short", forge_safetensors(sound, data_of(8 - less)), k_truncated});
    out.push_back({"data too long", forge_safetensors(sound, data_of(8 + less)), k_container});
  }
  for (const char* start : {"x", " {", "[", "\"", "\n{", "\t{", "null", "0"}) {
    out.push_back({"header that begins with " + std::string(start),
                   forge_safetensors(start + sound, data_of(8)), k_container});
  }
}

void add_json_faults(Faults& out) {
  const std::string sound = "\"w\":" + entry("\"F32\"", "[2]", "[0,8]");
  const std::vector<std::string> texts = {
      "{" + sound,
      "{" + sound + ",}",
      "{," + sound + "}",
      "{" + sound + "}}",
      "{" + sound + "}x",
      "{" + sound + "} {}",
      "{" + sound + "," + sound + "}",
      "{" + sound + ",\"a\"}",
      "{" + sound + ",\"a\":}",
      "{" + sound + ",a:1}",
      "{" + sound + ",'a':1}",
      "{" + sound + ",\"a\" 1}",
      "{" + sound + ",\"a\":tru}",
      "{" + sound + ",\"a\":True}",
      "{" + sound + ",\"a\":nul}",
      "{" + sound + ",\"a\":NaN}",
      "{" + sound + ",\"a\":Infinity}",
      "{" + sound + ",\"a\":+1}",
      "{" + sound + ",\"a\":01}",
      "{" + sound + ",\"a\":1.}",
      "{" + sound + ",\"a\":.5}",
      "{" + sound + ",\"a\":1e}",
      "{" + sound + ",\"a\":1e+}",
      "{" + sound + ",\"a\":-}",
      "{" + sound + ",\"a\":0x1}",
      "{" + sound + ",\"a\":[1,]}",
      "{" + sound + ",\"a\":[,1]}",
      "{" + sound + ",\"a\":[1 2]}",
      "{" + sound + ",\"a\":[1}",
      "{" + sound + ",\"a\":{\"b\"}}",
      "{" + sound + ",\"a\":\"x}",
      "{" + sound + ",\"a\":\"\\x\"}",
      "{" + sound + ",\"a\":\"\\u12\"}",
      "{" + sound + ",\"a\":\"\\u12g4\"}",
      "{" + sound + ",\"a\":\"\\ud800\"}",
      "{" + sound + ",\"a\":\"\\udc00\"}",
      "{" + sound + ",\"a\":\"\\ud800\\u0041\"}",
      "{" + sound + ",\"a\":\"\n\"}",
      "{" + sound + ",\"a\":\"\x01\"}",
      "{" + sound + ",\"a\":\"\xff\"}",
      "{" + sound + ",\"a\":\"\xc0\x80\"}",
      "{" + sound + ",\"a\":\"\xed\xa0\x80\"}",
      "{" + sound + ",\"a\":\"\xf5\x80\x80\x80\"}",
      "{" + sound + ",\"a\":\"\xe2\x82\"}",
      "{" + sound + "/**/}",
      "{" + sound + "}//",
      "{" + sound + "," + std::string(40, '[') + "}",
      "{\"a\":" + std::string(2000, '[') + "}",
      "{\"a\":" + std::string(17, '[') + std::string(17, ']') + "," + sound + "}",
      "{" + sound + std::string("\0", 1) + "}",
  };
  for (const std::string& text : texts) {
    out.push_back({"JSON " + quote_name(text), forge_safetensors(text, data_of(8)), k_container});
  }
}

void add_entry_faults(Faults& out) {
  for (const char* value : {"null", "1", "\"F32\"", "[]", "true", "{}", "-1.5"}) {
    out.push_back({std::string("entry ") + value, one_tensor(value), k_container});
    const std::string metadata =
        std::string("{\"__metadata__\":") + value + ",\"w\":" + entry("\"F32\"", "[2]", "[0,8]") + "}";
    if (std::string(value) != "{}") {
      out.push_back({std::string("metadata ") + value, forge_safetensors(metadata, data_of(8)), k_container});
      const std::string within = std::string("{\"__metadata__\":{\"k\":") + (value[0] == '"' ? "{}" : value) +
                                 "},\"w\":" + entry("\"F32\"", "[2]", "[0,8]") + "}";
      out.push_back(
          {std::string("metadata of ") + value, forge_safetensors(within, data_of(8)), k_container});
    }
    if (value[0] != '"') {
      out.push_back({std::string("dtype ") + value, one_tensor(entry(value, "[2]", "[0,8]")), k_container});
    }
    if (value[0] != '[') {
      out.push_back(
          {std::string("shape ") + value, one_tensor(entry("\"F32\"", value, "[0,8]")), k_container});
    }
    out.push_back({std::string("offsets ") + value, one_tensor(entry("\"F32\"", "[2]", value)), k_container});
    if (std::string(value) != "1") {
      const std::string one = value;
      out.push_back({"size " + one, one_tensor(entry("\"F32\"", "[" + one + "]", "[0,8]")), k_shape});
      out.push_back({"begin " + one, one_tensor(entry("\"F32\"", "[2]", "[" + one + ",8]")), k_container});
      out.push_back({"end " + one, one_tensor(entry("\"F32\"", "[2]", "[0," + one + "]")), k_container});
    }
  }
  for (const char* dtype :
       {"F8_E4M3", "F8_E5M2", "f32", "float32", "", "F128", "C64", "U16", "U32", "U64", "I4", "F32 "}) {
    out.push_back({std::string("dtype ") + dtype,
                   one_tensor(entry("\"" + std::string(dtype) + "\"", "[2]", "[0,8]")), k_dtype});
  }
  for (const char* shape :
       {"[1]", "[3]", "[]", "[0]", "[2,2]", "[-2]", "[9223372036854775807]", "[9223372036854775808]",
        "[4611686018427387904,4]", "[4294967296,4294967296]", "[18446744073709551616]", "[2e0]",
        "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[2.0]"}) {
    out.push_back({std::string("shape ") + shape, one_tensor(entry("\"F32\"", shape, "[0,8]")), k_shape});
  }
  for (const auto& [offsets, code] : std::initializer_list<std::pair<const char*, const char*>>{
           {"[8,0]", k_container},
           {"[0]", k_container},
           {"[0,8,8]", k_container},
           {"[]", k_container},
           {"[1,9]", k_container},
           {"[0,4]", k_shape},
           {"[0,16]", k_shape},
           {"[4,8]", k_shape},
           {"[8,16]", k_container},
           {"[0,9223372036854775807]", k_shape},
           {"[9223372036854775799,9223372036854775807]", k_container},
           {"[0,8e0]", k_container},
           {"[-8,0]", k_container}}) {
    out.push_back({std::string("offsets ") + offsets, one_tensor(entry("\"F32\"", "[2]", offsets)), code});
  }
  for (const char* left : {"\"dtype\"", "\"shape\"", "\"data_offsets\""}) {
    std::string value = entry("\"F32\"", "[2]", "[0,8]");
    value.insert(value.find(left) + 1, "_");
    out.push_back({std::string("without ") + left, one_tensor(value), k_container});
  }
  const std::string four = entry("\"F32\"", "[2]", "[0,8]");
  out.push_back({"one field more", one_tensor(four.substr(0, four.size() - 1) + ",\"x\":1}"), k_container});
  out.push_back(
      {"overlap", forge_safetensors("{\"a\":" + four + ",\"b\":" + four + "}", data_of(8)), k_container});
  out.push_back({"gap",
                 forge_safetensors("{\"a\":" + four + ",\"b\":" + entry("\"F32\"", "[1]", "[12,16]") + "}",
                                   data_of(16)),
                 k_container});
}

void add_zip_faults(Faults& out) {
  const auto add = [&](const std::string& what, const char* code, const auto& change) {
    for (const bool is_wide : {false, true}) {
      ForgedZip zip = forge_small_torch_zip();
      zip.zip64_end = is_wide;
      for (ForgedMember& member : zip.members) member.zip64 = is_wide;
      change(zip);
      out.push_back({what + (is_wide ? ", zip64" : ""), zip.bytes(), code});
    }
  };
  for (const uint16_t method : {1, 2, 3, 6, 8, 9, 12, 14, 93, 95, 97, 98, 99, 65535}) {
    add("member of method " + std::to_string(method), k_container,
        [&](ForgedZip& zip) { zip.members[0].method = method; });
  }
  add("encrypted", k_container, [](ForgedZip& zip) { zip.members[0].flags = 1; });
  for (const int64_t shift : {-100000, -64, -4, -1, 1, 4, 64, 100000}) {
    const std::string by = std::to_string(shift);
    add("offset moved by " + by, k_container, [&](ForgedZip& zip) { zip.members[1].offset_shift = shift; });
    add("size changed by " + by, k_container, [&](ForgedZip& zip) { zip.members[1].size_shift = shift; });
    add("directory moved by " + by, k_container,
        [&](ForgedZip& zip) { zip.directory_offset_shift = static_cast<int>(shift); });
    add("directory's size changed by " + by, k_container,
        [&](ForgedZip& zip) { zip.directory_size_shift = static_cast<int>(shift); });
    if (shift >= -4 && shift <= 64) {
      add("count changed by " + by, k_container,
          [&](ForgedZip& zip) { zip.count_shift = static_cast<int>(shift); });
    }
  }
  for (const char* name : {"x", "archive/data.pkx", "archive/data.pkl/", "ARCHIVE/DATA.PKL"}) {
    add("local name " + std::string(name), k_container,
        [&](ForgedZip& zip) { zip.members[0].local_name = name; });
    add("data.pkl is called " + std::string(name), k_container,
        [&](ForgedZip& zip) { zip.members[0].name = name; });
    add("storage is called " + std::string(name), k_container,
        [&](ForgedZip& zip) { zip.members[1].name = name; });
  }
  add("two of one name", k_container, [](ForgedZip& zip) { zip.members[2].name = zip.members[1].name; });
  add("no name", k_container, [](ForgedZip& zip) { zip.members[1].name = ""; });
  add("two data.pkl", k_container, [](ForgedZip& zip) { zip.members[1].name = "b/data.pkl"; });
  add("another disk", k_container, [](ForgedZip& zip) { zip.disk = 1; });
  add("gap before the end", k_container, [](ForgedZip& zip) { zip.gap = "gap"; });
  add("no members", k_container, [](ForgedZip& zip) { zip.members.clear(); });
  add("big endian", k_container, [](ForgedZip& zip) { zip.members.push_back({"archive/byteorder", "big"}); });
  for (size_t less : {1, 2, 8, 23, 24}) {
    add("storage too short by " + std::to_string(less), k_truncated,
        [&](ForgedZip& zip) { zip.members[1].data.resize(24 - less); });
  }
}

std::string with_pickle(const std::string& pickle) {
  ForgedZip zip = forge_small_torch_zip();
  zip.members[0].data = pickle;
  return zip.bytes();
}

void add_pickle_faults(Faults& out) {
  // Every opcode that is not one of those that are read, at the front and behind a value.
  static constexpr std::string_view k_read = "(.GJKMNQRX]abcehjqrstu})\x80\x81\x85\x86\x87\x88\x89\x8a";
  for (int byte = 0; byte < 256; ++byte) {
    const char opcode = static_cast<char>(byte);
    if (k_read.find(opcode) != std::string_view::npos) continue;
    const std::string name = pickle_opcode_name(static_cast<uint8_t>(byte)) + (" " + std::to_string(byte));
    out.push_back(
        {"opcode " + name, with_pickle(op::proto() + opcode + std::string(16, '\0') + "."), k_pickle});
    out.push_back(
        {"opcode behind a value " + name, with_pickle(op::proto() + "}" + opcode + "x\n."), k_pickle});
  }
  for (const uint8_t protocol : {0, 1, 3, 4, 5, 6, 255}) {
    out.push_back({"protocol " + std::to_string(protocol),
                   with_pickle(std::string("\x80") + static_cast<char>(protocol) + "}."), k_pickle});
  }
  const std::string good = op::storage("FloatStorage", "0", 6);
  const auto tensor = [](const std::string& made) { return op::proto() + op::dict({{"w", made}}) + "."; };
  const std::vector<std::tuple<const char*, std::string, const char*>> tensors = {
      {"storage of another kind", op::tensor(op::storage("ComplexFloatStorage", "0", 3), 0, {3}, {1}),
       k_dtype},
      {"storage that is not there", op::tensor(op::storage("FloatStorage", "7", 6), 0, {6}, {1}),
       k_container},
      {"storage of a path", op::tensor(op::storage("FloatStorage", "../0", 6), 0, {6}, {1}), k_container},
      {"storage longer than its member", op::tensor(op::storage("FloatStorage", "0", 7), 0, {6}, {1}),
       k_truncated},
      {"negative storage", op::tensor(op::storage("FloatStorage", "0", -6), 0, {6}, {1}), k_pickle},
      {"shape beyond the storage", op::tensor(good, 0, {7}, {1}), k_shape},
      {"offset beyond the storage", op::tensor(good, 1, {6}, {1}), k_shape},
      {"negative offset", op::tensor(good, -1, {6}, {1}), k_pickle},
      {"negative size", op::tensor(good, 0, {-6}, {1}), k_pickle},
      {"negative stride", op::tensor(good, 5, {6}, {-1}), k_pickle},
      {"strides of another rank", op::tensor(good, 0, {2, 3}, {1}), k_shape},
      {"huge sizes", op::tensor(good, 0, {2147483647, 2147483647, 2147483647}, {0, 0, 0}), k_shape},
      {"repeated more than the file has", op::tensor(good, 0, {2147483647}, {0}), k_shape},
      {"rank of 17", op::tensor(good, 0, std::vector<int32_t>(17, 1), std::vector<int32_t>(17, 1)), k_shape},
      {"a tensor of a text", op::tensor(op::text("no storage"), 0, {6}, {1}), k_pickle},
      {"a set of itself", "}q\0" + std::string("h\0", 2), k_pickle},
      {"global that is never called", op::global("torch._utils", "_rebuild_tensor_v2"), k_pickle},
      {"a storage called", op::global("torch", "FloatStorage") + ")R", k_pickle},
      {"OrderedDict with arguments", op::global("collections", "OrderedDict") + op::integers({1}) + "R",
       k_pickle},
  };
  for (const auto& [what, made, code] : tensors) out.push_back({what, with_pickle(tensor(made)), code});
  for (const char* body : {"",
                           "}",
                           "N.",
                           "].",
                           ").",
                           "K\1.",
                           "X\1\0\0\0a.",
                           "}}.",
                           "(.",
                           "}(.",
                           "}(u",
                           "e.",
                           "}a.",
                           "]s.",
                           "R.",
                           "}R.",
                           "})R.",
                           "Q.",
                           "}Q.",
                           "\x81.",
                           "b.",
                           "}b.",
                           "h\0.",
                           "h\5.",
                           "j\xff\xff\xff\xff.",
                           "}r\xff\xff\xff\xff.",
                           "t.",
                           "u.",
                           "\x85.",
                           "\x86.",
                           "\x87.",
                           "X\xff\xff\xff\xff.",
                           "X\1\0\0\0\xff.",
                           "\x8a\xff.",
                           "c\n\n.",
                           "ca\n."}) {
    out.push_back({std::string("pickle of ") + quote_name(body), with_pickle(op::proto() + body), k_pickle});
  }
}

void add_other_files(Faults& out) {
  for (const char* text : {"version https://git-lfs.github.com/spec/v1\n", "<!DOCTYPE html><html></html>",
                           "<html><body></body>", "<?xml version=\"1.0\"?>", "GGUF\3........",
                           "\x89HDF\r\n\x1a\n....", "\x93NUMPY.......", "\x1f\x8b..........",
                           "\xfd"
                           "7zXZ........",
                           "\x28\xb5\x2f\xfd..........", "\x80\2}q\1X\1......", "just some words in a file",
                           "\x7f"
                           "ELF............",
                           "#!/bin/sh\ntouch x\n"}) {
    out.push_back({std::string("file of ") + quote_name(text), text, k_container});
  }
  for (size_t size = 0; size < 9; ++size) out.push_back({"short file", std::string(size, 'a'), k_truncated});
  for (const char* index : {"{}          ", "{\"weight_map\":{}}", "{\"weight_map\":1}",
                            "{\"weight_map\":{\"w\":1}}", "{\"weight_map\":{\"w\":\"../x\"}}",
                            "{\"weight_map\":{\"w\":\"/etc/passwd\"}}", "{\"weight_map\":{\"w\":\"..\"}}",
                            "{\"weight_map\":{\"w\":\"a\\u0000b\"}}", "{\"weight_map\":{\"w\":\"\"}}",
                            "{\"weight_map\":[", "{ \"weight_map\" : { \"w\" : \"a\\\\b\" } }"}) {
    out.push_back({std::string("index ") + index, index, k_container});
  }
}

Faults all_faults() {
  Faults faults;
  add_header_faults(faults);
  add_json_faults(faults);
  add_entry_faults(faults);
  add_zip_faults(faults);
  add_pickle_faults(faults);
  add_other_files(faults);
  return faults;
}

TEST(EnumeratedFaults, EachHasItsCode) {
  const Faults faults = all_faults();
  EXPECT_GE(faults.size(), 400u);
  std::map<std::string, int> codes;
  for (const Fault& fault : faults) {
    const Thrown thrown = thrown_by([&] {
      const auto file = open_bytes(fault.bytes);
      file->verify_checksums();
      check_structure(canonicalise({file}));
    });
    EXPECT_EQ(thrown.code, fault.code) << fault.what << ": " << thrown.message;
    EXPECT_TRUE(contains(thrown.message, "test.bin")) << fault.what << ": " << thrown.message;
    ++codes[thrown.code];
  }
  std::printf("%zu malformed files:", faults.size());
  for (const auto& [code, count] : codes) std::printf(" %s %d", code.c_str(), count);
  std::printf("\n");
}

}  // namespace
}  // namespace crane::weights
