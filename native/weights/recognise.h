// Which naming family a file follows, and what stands before its names. Prefixes are found in the file
// itself: people save models within trainers, compiled modules and wrappers of their own (state_dict.module.,
// _orig_mod., clip_model.).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weights/family.h"
#include "weights/tensor_view.h"

namespace crane::weights {

// "blocks.12.norm1.weight" as the pattern "blocks.#.norm1.weight" and 12.
struct NumberedName {
  std::string pattern;
  std::string number;  // as written; empty when there is none
};

// The first part between dots that is a number; names of all families have at most one.
NumberedName split_number(std::string_view name);
std::string with_number(std::string_view pattern, std::string_view number);

// Without the parts that compiling and sharding a module put anywhere into its names (_orig_mod and the
// like).
std::string without_wrappers(std::string_view name);

struct NameMatch {
  const NameRow* row = nullptr;  // nullptr: known and ignored
  std::string number;
};

// The rows of one family, to be found by the stored name.
class FamilyIndex {
 public:
  explicit FamilyIndex(const Family& family);
  // name: without_wrappers, and without the file's prefix.
  std::optional<NameMatch> match(std::string_view name) const;

 private:
  std::unordered_map<std::string_view, const NameRow*> rows_;
  std::vector<std::string_view> ignored_starts_;
};

struct Recognised {
  const Family* family = nullptr;  // nullptr: none fits
  // Stands before every name of the model. What does not begin so lies beside the model: an optimiser's
  // state, a copy.
  std::string prefix;
  size_t beside = 0;
  // Other prefixes under which as complete a model lies, so that nobody knows which is meant; then none fits.
  std::vector<std::string> rivals;
};

Recognised recognise(const WeightFile& file);

}  // namespace crane::weights
