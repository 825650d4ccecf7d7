// Files that were cut off or hit by errors: each ends in an error with a code, or is still a valid file.
// Never a crash, and never more memory than the file deserves.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "error_of.h"
#include "forged_files.h"
#include "weights/name_map.h"
#include "weights/structure.h"

namespace crane::weights {
namespace {

struct Sample {
  const char* name;
  std::string bytes;
};

std::vector<Sample> samples() {
  ForgedZip zip64 = forge_small_torch_zip();
  zip64.zip64_end = true;
  for (ForgedMember& member : zip64.members) member.zip64 = true;
  // A prompt checkpoint, so that flips also reach the names and shapes behind the readers.
  const std::string ctx =
      op::tensor(op::storage("FloatStorage", "0", 6, "cuda:0"), 0, {1, 1, 3, 2}, {6, 6, 2, 1});
  const std::string prompts = op::dict({{"prompt_learner", op::dict({{"ctx_pos", ctx}, {"ctx_neg", ctx}})}});
  return {{"safetensors", forge_small_safetensors()},
          {"torch-zip", forge_small_torch_zip().bytes()},
          {"torch-zip, zip64", zip64.bytes()},
          {"prompts", forge_torch_zip(prompts, {{"0", values_bytes<float>({1, 2, 3, 4, 5, 6})}}).bytes()},
          {"torchscript", forge_small_torchscript().bytes()}};
}

// Everything a user's file goes through; touches every byte that a view claims to have.
void read_fully(const std::string& bytes) {
  const auto file = open_bytes(bytes);
  size_t total = 0;
  for (const TensorView& view : file->tensors()) {
    for (size_t i = 0; i < view.bytes(); ++i) total += static_cast<size_t>(view.data[i]);
    total += view.name.size();
  }
  EXPECT_GE(total, 0u);
  file->verify_checksums();
  const CanonicalWeights weights = canonicalise({file});
  check_structure(weights);
}

// The code, or "valid". Anything but crane::Error escapes and fails the test.
std::string outcome(const std::string& bytes) {
  const Thrown thrown = thrown_by([&] { read_fully(bytes); });
  EXPECT_NE(thrown.code, "E_INTERNAL") << thrown.message;
  return thrown.code.empty() ? "valid" : thrown.code;
}

void print(const char* what, const std::map<std::string, int>& outcomes) {
  std::printf("%s:", what);
  for (const auto& [code, count] : outcomes) std::printf(" %s %d", code.c_str(), count);
  std::printf("\n");
}

TEST(HostileBytes, EveryTruncationIsRefusedWithACode) {
  for (const Sample& sample : samples()) {
    std::map<std::string, int> outcomes;
    for (size_t size = 0; size < sample.bytes.size(); ++size) {
      const Thrown thrown = thrown_by([&] { open_bytes(sample.bytes.substr(0, size)); });
      ASSERT_TRUE(thrown.code == "E_WEIGHTS_TRUNCATED" || thrown.code == "E_WEIGHTS_CONTAINER")
          << sample.name << " cut at " << size << ": " << thrown.code << " " << thrown.message;
      ++outcomes[thrown.code];
    }
    print(sample.name, outcomes);
  }
}

TEST(HostileBytes, EverySingleBitFlipEndsWellOrWithACode) {
  for (const Sample& sample : samples()) {
    std::map<std::string, int> outcomes;
    for (size_t bit = 0; bit < 8 * sample.bytes.size(); ++bit) {
      std::string bytes = sample.bytes;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      ++outcomes[outcome(bytes)];
    }
    print(sample.name, outcomes);
  }
}

TEST(HostileBytes, SeededDamageEndsWellOrWithACode) {
  static constexpr int k_cases = 4000;
  std::mt19937 random(20240611);
  for (const Sample& sample : samples()) {
    std::map<std::string, int> outcomes;
    for (int i = 0; i < k_cases; ++i) {
      std::string bytes = sample.bytes;
      const auto at = [&] { return random() % bytes.size(); };
      switch (random() % 5) {
        case 0:  // a few bits
          for (uint32_t k = 0; k < 2 + random() % 8; ++k)
            bytes[at()] ^= static_cast<char>(1u << (random() % 8));
          break;
        case 1:  // extreme values where lengths and offsets may stand
          bytes.replace(std::min(at(), bytes.size() - 4), 4,
                        le<uint32_t>(random() % 2 ? 0xffffffffu : 0x7fffffffu));
          break;
        case 2:  // a piece in the wrong place
          bytes.replace(at(), 8, bytes.substr(at(), 1 + random() % 16));
          break;
        case 3:  // a piece lost
          bytes.erase(at(), 1 + random() % 8);
          break;
        default:  // a piece twice
          bytes.insert(at(), bytes.substr(at(), 1 + random() % 64));
      }
      ++outcomes[outcome(bytes)];
    }
    print(sample.name, outcomes);
  }
}

// Damage inside the pickle only, with the zip around it intact, so that the damage is not caught there
// already.
TEST(HostileBytes, DamageInsideThePickleEndsWellOrWithACode) {
  static constexpr int k_cases = 6000;
  std::mt19937 random(7);
  for (const bool script : {false, true}) {
    const ForgedZip sample = script ? forge_small_torchscript() : forge_small_torch_zip();
    std::map<std::string, int> outcomes;
    for (int i = 0; i < k_cases; ++i) {
      ForgedZip zip = sample;
      std::string& pickle = zip.members[0].data;
      const uint32_t changes = 1 + random() % 4;
      for (uint32_t k = 0; k < changes; ++k) {
        const size_t at = random() % pickle.size();
        if (random() % 3 == 0) {
          pickle[at] = static_cast<char>(random());
        } else if (random() % 2 == 0) {
          pickle[at] ^= static_cast<char>(1u << (random() % 8));
        } else {
          pickle.insert(at, pickle.substr(random() % pickle.size(), 1 + random() % 24));
        }
      }
      ++outcomes[outcome(zip.bytes())];
    }
    print(script ? "torchscript pickle" : "torch-zip pickle", outcomes);
    for (size_t size = 0; size < sample.members[0].data.size(); ++size) {
      ForgedZip zip = sample;
      zip.members[0].data.resize(size);
      ASSERT_EQ(outcome(zip.bytes()), "E_WEIGHTS_PICKLE") << size;
    }
  }
}

}  // namespace
}  // namespace crane::weights
