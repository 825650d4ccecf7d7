// Banks and their files: what is read is what was written, and nothing else is taken for a bank.
#include "normals/bank.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "../weights/error_of.h"
#include "../weights/scratch_folder.h"
#include "weights/facts_checksum.h"
#include "weights/safetensors.h"
#include "weights/zip.h"

namespace crane::normals {
namespace {

using weights::thrown_by;

constexpr int64_t k_depth = 8;

Bank bank_of(std::vector<int64_t> starts, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  at::Tensor rows = at::empty({starts.back(), k_depth}, at::kFloat);
  for (int64_t i = 0; i < rows.numel(); ++i) rows.data_ptr<float>()[i] = normal(random);
  return {{false, {2}}, {2, 3}, rows / rows.norm(2, 1, true), std::move(starts)};
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_all(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Bank, IsReadAsItWasWritten) {
  const weights::ScratchFolder folder;
  const Bank bank = bank_of({0, 6, 20});
  bank.write(folder.file("bank"), {{"note", "of mine"}});
  const Bank read = Bank::read(folder.file("bank"), at::kCPU);
  EXPECT_TRUE(read.rows().equal(bank.rows()));
  EXPECT_EQ(read.what(), bank.what());
  EXPECT_EQ(read.grid(), bank.grid());
  EXPECT_EQ(read.pictures(), 2);
  EXPECT_EQ(read.of_picture(1).first, 6);
  EXPECT_EQ(read.of_picture(1).last, 20);
  EXPECT_EQ(weights::open_weights(folder.file("bank"))->metadata().at("note"), "of mine");
}

TEST(Bank, JoinedHasAllPicturesInTheirOrder) {
  const Bank a = bank_of({0, 6, 12}, 1);
  const Bank b = bank_of({0, 7}, 2);
  const Bank both = Bank::joined({&a, &b});
  EXPECT_EQ(both.pictures(), 3);
  EXPECT_EQ(both.of_picture(2).first, 12);
  EXPECT_EQ(both.of_picture(2).last, 19);
  EXPECT_TRUE(both.rows().slice(0, 12).equal(b.rows()));
  const Bank other({false, {3}}, {2, 3}, b.rows(), {0, 7});
  EXPECT_EQ(thrown_by([&] { Bank::joined({&a, &other}); }).code, "E_NORMALS");
  EXPECT_EQ(thrown_by([] { Bank::joined({}); }).code, "E_NORMALS");
}

Bank with_beside(const Bank& bank, const Beside& beside) {
  return {bank.what(), bank.grid(), bank.rows(), {bank.starts().begin(), bank.starts().end()}, beside};
}

TEST(Bank, WhatIsKeptBesideIsWrittenReadAndJoined) {
  const weights::ScratchFolder folder;
  const at::Tensor kept = at::arange(8, at::kFloat).view({2, 4});
  const Bank two = with_beside(bank_of({0, 6, 20}), {{"kept", kept}});
  two.write(folder.file("bank"), {});
  const Bank read = Bank::read(folder.file("bank"), at::kCPU);
  EXPECT_TRUE(read.beside().at("kept").equal(kept));
  const Bank joined = Bank::joined({&two, &read});
  EXPECT_TRUE(joined.beside().at("kept").equal(at::cat({kept, kept})));
  const Bank plain = bank_of({0, 6, 20});
  const Bank wider = with_beside(plain, {{"kept", at::full({2, 5}, 0.0)}});
  for (const Bank* other : {&plain, &wider}) {
    EXPECT_EQ(thrown_by([&] { Bank::joined({&two, other}); }).code, "E_NORMALS");
  }
}

TEST(Bank, WhatIsKeptBesideIsNotBelieved) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  const auto code_with = [&](const at::Tensor& kept) {
    with_beside(bank_of({0, 6, 20}), {{"kept", kept}}).write(path, {});
    return thrown_by([&] { Bank::read(path, at::kCPU); }).code;
  };
  EXPECT_EQ(code_with(at::full({2, 4}, 0.0)), "");
  EXPECT_EQ(code_with(at::full({3, 4}, 0.0)), "E_NORMALS");
  EXPECT_EQ(code_with(at::full({2}, 0.0)), "E_NORMALS");
  EXPECT_EQ(code_with(at::full({2, 4}, std::nanf(""))), "E_NORMALS");
  code_with(at::full({2, 4}, 1.5));
  std::string bytes = read_all(path);
  const std::string value("\0\0\xc0\x3f", 4);  // 1.5
  bytes[bytes.rfind(value)] = 1;
  write_all(path, bytes);
  EXPECT_EQ(thrown_by([&] { Bank::read(path, at::kCPU); }).code, "E_NORMALS");
}

// cp over a bank that is in use: its rows are others then, or gone. mv leaves it what it has mapped.
TEST(Bank, ThatIsWrittenToWhileItIsInUseIsNoticed) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  bank_of({0, 6, 20}, 1).write(path, {});
  const std::string whole = read_all(path);
  const auto code_after = [&](const std::function<void()>& change) {
    write_all(path, whole);
    const Bank bank = Bank::read(path, at::kCPU);
    bank.check_versions();
    const at::Tensor before = bank.rows().clone();
    change();
    const std::string code = thrown_by([&] { bank.check_versions(); }).code;
    EXPECT_EQ(thrown_by([&] { bank.write(folder.file("other"), {}); }).code, code);
    EXPECT_EQ(thrown_by([&] { Bank::joined({&bank, &bank}); }).code, code);
    if (code.empty()) {
      EXPECT_TRUE(bank.rows().equal(before));
    }
    return code;
  };
  EXPECT_EQ(code_after([] {}), "");
  EXPECT_EQ(code_after([&] { bank_of({0, 6, 20}, 2).write(path, {}); }), "");  // by another name, renamed
  EXPECT_EQ(code_after([&] { std::filesystem::remove(path); }), "");
  EXPECT_EQ(code_after([&] { write_all(path, whole + " "); }), "E_FILE_CHANGED");
  // Of the same length, a moment later than the clock of the file system can tell.
  EXPECT_EQ(code_after([&] {
              write_all(path, whole);
              std::filesystem::last_write_time(
                  path, std::filesystem::last_write_time(path) + std::chrono::milliseconds(20));
            }),
            "E_FILE_CHANGED");
  // What is rounded is not mapped.
  const Bank half = bank_of({0, 6, 20}, 1).rounded_to(at::kHalf);
  half.write(path, {});
  const Bank read = Bank::read(path, at::kCPU);
  write_all(path, "nothing");
  read.check_versions();
}

// Every file that is cut off, and every one with a flipped bit that can matter, has an error of its own.
TEST(Bank, DamagedFilesAreRefused) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  bank_of({0, 6, 20}).write(path, {});
  const std::string whole = read_all(path);
  for (size_t length = 0; length < whole.size(); ++length) {
    write_all(path, whole.substr(0, length));
    EXPECT_NE(thrown_by([&] { Bank::read(path, at::kCPU); }).code, "") << length << " bytes";
  }
  std::mt19937 random(7);
  int refused = 0;
  int same = 0;
  const Bank unharmed = bank_of({0, 6, 20});
  for (int i = 0; i < 3000; ++i) {
    std::string flipped = whole;
    flipped[random() % flipped.size()] ^= static_cast<char>(1 << random() % 8);
    write_all(path, flipped);
    const auto thrown = thrown_by([&] {
      const Bank read = Bank::read(path, at::kCPU);
      // Rows have a checksum, and so has what lies around them: written again it has the same bytes.
      EXPECT_TRUE(read.rows().equal(unharmed.rows()));
      read.write(folder.file("again"), {});
      EXPECT_EQ(read_all(folder.file("again")), whole);
      ++same;
    });
    if (!thrown.code.empty()) ++refused;
  }
  EXPECT_EQ(refused + same, 3000);
  EXPECT_GT(refused, 1000);
}

TEST(Bank, HostileFilesAreRefused) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  struct Parts {
    std::vector<float> rows = {1, 0, 0, 1};
    std::vector<int64_t> shape = {2, 2};
    std::vector<int64_t> starts = {0, 1, 2};
    std::vector<int64_t> blocks = {1};
    std::vector<int64_t> grid = {1, 1};
    std::string tower = "vision";
    std::string format = "1";
    std::optional<std::string> checksum;
  };
  const auto code_of = [&](const Parts& parts) {
    const auto bytes = std::as_bytes(std::span(parts.rows));
    const auto count = [](const auto& list) { return std::vector{static_cast<int64_t>(list.size())}; };
    weights::SafetensorsWriter writer(
        path,
        {{"rows", weights::DType::f32, parts.shape},
         {"starts", weights::DType::i64, count(parts.starts)},
         {"blocks", weights::DType::i64, count(parts.blocks)},
         {"grid", weights::DType::i64, count(parts.grid)}},
        {{"crane.normals", parts.format},
         {"crane.normals.tower", parts.tower},
         {"crane.normals.crc32", parts.checksum.value_or(join_text(weights::crc32(bytes)))}});
    writer.append(0, bytes);
    writer.append(1, std::as_bytes(std::span(parts.starts)));
    writer.append(2, std::as_bytes(std::span(parts.blocks)));
    writer.append(3, std::as_bytes(std::span(parts.grid)));
    writer.finish();
    return thrown_by([&] { Bank::read(path, at::kCPU); }).code;
  };
  EXPECT_EQ(code_of({}), "");
  EXPECT_EQ(code_of({.starts = {0, 1, 3}}), "E_NORMALS");
  EXPECT_EQ(code_of({.starts = {0, 2, 1}}), "E_NORMALS");
  EXPECT_EQ(code_of({.starts = {0, -1, 2}}), "E_NORMALS");
  EXPECT_EQ(code_of({.starts = {1, 2}}), "E_NORMALS");
  EXPECT_EQ(code_of({.starts = {0}}), "E_NORMALS");
  EXPECT_EQ(code_of({.starts = {}}), "E_NORMALS");
  EXPECT_EQ(code_of({.grid = {0, 1}}), "E_NORMALS");
  EXPECT_EQ(code_of({.grid = {int64_t{1} << 40, int64_t{1} << 40}}), "E_NORMALS");
  EXPECT_EQ(code_of({.grid = {2, 1}}), "E_NORMALS");
  EXPECT_EQ(code_of({.tower = "text"}), "E_NORMALS");
  EXPECT_EQ(code_of({.format = "3"}), "E_NORMALS");
  EXPECT_EQ(code_of({.format = "2"}), "E_NORMALS") << "without a kind";
  EXPECT_EQ(code_of({.checksum = "0"}), "E_NORMALS");
  EXPECT_EQ(code_of({.rows = {1, 0, 0, 2}}), "E_NORMALS");
  EXPECT_EQ(code_of({.rows = {1, 0, 0, std::nanf("")}}), "E_NORMALS");
  EXPECT_EQ(code_of({.rows = {}, .shape = {0, 2}, .starts = {0, 0}}), "E_NORMALS");
}

Bank subspace_of_noise() {
  const Bank rows = bank_of({0, 6, 12});
  std::vector<at::Tensor> moments;
  for (int64_t p = 0; p < 2; ++p) moments.push_back(moments_of(rows.upright(p)));
  return {rows.what(), rows.grid(), rows.rows(), {0, 6, 12}, {}, Spread{at::stack(moments), {6, 6}, 0.9}};
}

TEST(Bank, OfASubspaceIsReadAsItWasWritten) {
  const weights::ScratchFolder folder;
  const Bank bank = subspace_of_noise();
  bank.write(folder.file("bank"), {});
  const Bank read = Bank::read(folder.file("bank"), at::kCPU);
  ASSERT_TRUE(read.spread().has_value());
  EXPECT_TRUE(read.spread()->moments.equal(bank.spread()->moments));
  EXPECT_EQ(read.spread()->counts, bank.spread()->counts);
  EXPECT_EQ(read.spread()->variance, 0.9);
  EXPECT_TRUE(read.subspace(-1).across.equal(bank.subspace(-1).across));
}

TEST(Bank, OfASubspaceIsNotBelieved) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  const Bank whole = subspace_of_noise();
  const auto code_with = [&](Spread spread, std::vector<int64_t> starts = {0, 6, 12}) {
    const at::Tensor rows = bank_of(starts).rows();
    Bank(whole.what(), whole.grid(), rows, std::move(starts), {}, std::move(spread)).write(path, {});
    return thrown_by([&] { Bank::read(path, at::kCPU); }).code;
  };
  const Spread& spread = *whole.spread();
  EXPECT_EQ(code_with(spread), "");
  EXPECT_EQ(code_with({spread.moments.slice(0, 0, 1).contiguous(), spread.counts, 0.9}), "E_NORMALS");
  EXPECT_EQ(code_with({spread.moments.slice(1, 0, 8).contiguous(), spread.counts, 0.9}), "E_NORMALS");
  EXPECT_EQ(code_with({at::full_like(spread.moments, std::nan("")), spread.counts, 0.9}), "E_NORMALS");
  EXPECT_EQ(code_with({spread.moments * 1e300, spread.counts, 0.9}), "E_NORMALS");
  EXPECT_EQ(code_with({spread.moments, {6}, 0.9}), "E_NORMALS");
  EXPECT_EQ(code_with({spread.moments, {6, 0}, 0.9}), "E_NORMALS");
  EXPECT_EQ(code_with({spread.moments, {6, int64_t{1} << 40}, 0.9}), "E_NORMALS");
  for (const double variance : {0.0, 1.0, -1.0, std::nan("")})
    EXPECT_EQ(code_with({spread.moments, spread.counts, variance}), "E_NORMALS") << variance;
  EXPECT_EQ(code_with(spread, {0, 6, 20}), "E_NORMALS") << "rows of other copies";
  code_with(spread);
  std::string bytes = read_all(path);
  size_t refused = 0;
  for (size_t at = 0; at < bytes.size(); at += 7) {
    std::string flipped = bytes;
    flipped[at] ^= 8;
    write_all(path, flipped);
    const auto thrown = thrown_by([&] {
      const Bank read = Bank::read(path, at::kCPU);
      EXPECT_TRUE(read.rows().equal(whole.rows()));
      EXPECT_TRUE(!read.spread() || read.spread()->moments.equal(spread.moments));
    });
    refused += thrown.code.empty() ? 0 : 1;
  }
  EXPECT_GT(refused, bytes.size() / 7 / 2);
}

// A bank's file with one tensor in another form.
void rewrite(const std::string& path, const std::string& name, const weights::SafetensorsEntry& as,
             std::span<const std::byte> bytes) {
  const auto file = weights::open_weights(path);
  std::vector<weights::SafetensorsEntry> entries;
  std::vector<std::string> contents;
  auto facts = file->metadata();
  facts.erase(
      weights::k_facts_checksum);  // as files of earlier versions: what is read is checked without it too
  for (const weights::TensorView& view : file->tensors()) {
    const bool is_it = view.name == name;
    entries.push_back(is_it ? as : weights::SafetensorsEntry{view.name, view.dtype, view.shape});
    const auto* from = reinterpret_cast<const char*>(is_it ? bytes.data() : view.data);
    contents.emplace_back(from, is_it ? bytes.size() : view.bytes());
    // Whoever writes a hostile file writes its checksum too.
    if (is_it)
      facts["crane.normals.crc32" + (name == "rows" ? "" : "." + name)] = join_text(weights::crc32(bytes));
  }
  weights::SafetensorsWriter writer(path, entries, facts, 64);
  for (size_t i = 0; i < entries.size(); ++i) writer.append(i, std::as_bytes(std::span(contents[i])));
  writer.finish();
}

TEST(Bank, OfChosenRowsIsNotBelieved) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  const auto code_with = [&](const std::string& name, weights::DType type, std::vector<int64_t> shape,
                             const auto& values) {
    bank_of({0, 6, 20}).with_chosen(7).write(path, {});
    rewrite(path, name, {name, type, std::move(shape)}, std::as_bytes(std::span(values)));
    return thrown_by([&] { Bank::read(path, at::kCPU); }).code;
  };
  using weights::DType;
  bank_of({0, 6, 20}).with_chosen(7).write(path, {});
  const Bank whole = Bank::read(path, at::kCPU);
  const at::Tensor chosen = whole.searched().contiguous();
  std::vector<float> rows(chosen.const_data_ptr<float>(), chosen.const_data_ptr<float>() + chosen.numel());
  const int64_t middle = whole.searched_of(0).last;
  using Starts = std::vector<int64_t>;
  EXPECT_EQ(code_with("chosen", DType::f32, {7, k_depth}, rows), "");
  EXPECT_EQ(code_with("chosen_starts", DType::i64, {3}, Starts{0, middle, 7}), "");
  EXPECT_EQ(code_with("chosen_starts", DType::i64, {3}, Starts{0, 0, 7}), "") << "one may have none";
  for (const Starts& starts :
       {Starts{0, 8, 7}, Starts{0, 3, 6}, Starts{1, 3, 7}, Starts{0, -1, 7}, Starts{0, 3, 8}})
    EXPECT_EQ(code_with("chosen_starts", DType::i64, {3}, starts), "E_NORMALS");
  EXPECT_EQ(code_with("chosen_starts", DType::i64, {2}, Starts{0, 7}), "E_NORMALS");
  EXPECT_EQ(code_with("chosen_starts", DType::i64, {0}, Starts{}), "E_NORMALS");
  EXPECT_EQ(code_with("chosen", DType::f32, {7 * k_depth}, rows), "E_NORMALS");
  EXPECT_EQ(code_with("chosen", DType::f32, {14, k_depth / 2}, rows), "E_NORMALS");
  EXPECT_EQ(code_with("chosen", DType::f32, {0, k_depth}, std::vector<float>{}), "E_NORMALS");
  EXPECT_EQ(code_with("chosen", DType::f16, {14, k_depth}, rows), "E_NORMALS") << "of another precision";
  EXPECT_EQ(code_with("chosen", DType::i64, {7, k_depth / 2}, rows), "E_NORMALS");
  rows[3] = std::nanf("");
  EXPECT_EQ(code_with("chosen", DType::f32, {7, k_depth}, rows), "E_NORMALS");
}

TEST(Bank, OfTheForegroundIsNotBelieved) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  const Bank whole = bank_of({0, 6, 12});
  const Bank some = whole.of_foreground(Chosen{whole.rows().slice(0, 1, 10).contiguous(), {0, 4, 9}, false},
                                        {{8, 0}, {12, 5}});
  // A picture of five patches has fewer than a grid.
  some.write(path, {});
  EXPECT_EQ(thrown_by([&] { Bank::read(path, at::kCPU); }).code, "E_NORMALS");
  const Bank sound = whole.of_foreground(some.chosen(), {{8, 1}, {12, 6}});
  sound.write(path, {});
  const Bank read = Bank::read(path, at::kCPU);
  EXPECT_TRUE(read.searched().equal(sound.searched()));
  EXPECT_FALSE(read.is_coreset());
  EXPECT_EQ(read.background()->left_out, sound.background()->left_out);
  EXPECT_EQ(read.background()->patches, sound.background()->patches);
  using Counts = std::vector<int64_t>;
  const auto code_with = [&](const char* name, const Counts& values) {
    sound.write(path, {});
    rewrite(path, name, {name, weights::DType::i64, {static_cast<int64_t>(values.size())}},
            std::as_bytes(std::span(values)));
    return thrown_by([&] { Bank::read(path, at::kCPU); }).code;
  };
  EXPECT_EQ(code_with("left_out", {8, 1}), "");
  for (const Counts& counts :
       {Counts{8, 2}, Counts{-1, 1}, Counts{12, 1}, Counts{8}, Counts{}, Counts{8, 1, 0}})
    EXPECT_EQ(code_with("left_out", counts), "E_NORMALS");
  for (const Counts& counts : {Counts{12, 7}, Counts{INT64_MAX, 6}, Counts{12, -6}, Counts{12}})
    EXPECT_EQ(code_with("patches", counts), "E_NORMALS");
}

TEST(Bank, OfRoundedRowsIsReadAsItWasWrittenAndNotBelieved) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("bank");
  for (const at::ScalarType precision : {at::kHalf, at::kBFloat16}) {
    const Bank bank = bank_of({0, 6, 20}).rounded_to(precision);
    bank.write(path, {});
    const Bank read = Bank::read(path, at::kCPU);
    EXPECT_TRUE(read.rows().equal(bank.rows()));
    EXPECT_EQ(read.precision(), precision);
    bank.with_chosen(7).write(path, {});
    EXPECT_TRUE(Bank::read(path, at::kCPU).searched().equal(bank.with_chosen(7).searched()));
  }
  const auto code_with = [&](uint16_t value) {
    bank_of({0, 6, 20}).rounded_to(at::kHalf).write(path, {});
    const std::vector<uint16_t> rows(20 * k_depth, value);
    rewrite(path, "rows", {"rows", weights::DType::f16, {20, k_depth}}, std::as_bytes(std::span(rows)));
    return thrown_by([&] { Bank::read(path, at::kCPU); }).code;
  };
  EXPECT_EQ(code_with(0x35A8), "") << "one over the root of 8";
  EXPECT_EQ(code_with(0x3C00), "E_NORMALS") << "1";
  EXPECT_NE(code_with(0x7E00), "") << "NaN";
  EXPECT_NE(code_with(0x7C00), "") << "infinity";
}

TEST(Bank, OtherFilesAreNoBanks) {
  const weights::ScratchFolder folder;
  const std::string path = folder.file("file");
  weights::SafetensorsWriter(path, {}, {}).finish();
  EXPECT_EQ(thrown_by([&] { Bank::read(path, at::kCPU); }).code, "E_NORMALS");
  EXPECT_EQ(thrown_by([&] { Bank::read(folder.file("none"), at::kCPU); }).code, "E_WEIGHTS_NOT_FOUND");
  write_all(path, "no weights at all, only a text");
  EXPECT_EQ(thrown_by([&] { Bank::read(path, at::kCPU); }).code, "E_WEIGHTS_CONTAINER");
}

}  // namespace
}  // namespace crane::normals
