#include "weights/recognise.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "weights/checkpoint.h"

namespace crane::weights {

namespace {

// Parts of a name before the model's own: deeper wrappers are nobody's, and the search stays short.
constexpr size_t k_max_prefix_parts = 6;
// A tower of one block has more tensors than these: fewer names that fit by chance make no model.
constexpr size_t k_least_found = 8;

constexpr std::array<std::string_view, 3> k_wrappers = {"_orig_mod.", "_fsdp_wrapped_module.",
                                                        "_checkpoint_wrapped_module."};

bool is_block_number(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 4 &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && (text.size() == 1 || text[0] != '0');
}

struct Candidate {
  const Family* family = nullptr;
  std::string prefix;
  size_t mapped = 0;
};

size_t mapped_under(const std::vector<std::string>& names, const FamilyIndex& index,
                    std::string_view prefix) {
  return static_cast<size_t>(std::count_if(names.begin(), names.end(), [&](const std::string& name) {
    if (!name.starts_with(prefix)) return false;
    const auto match = index.match(std::string_view(name).substr(prefix.size()));
    return match && match->row != nullptr;
  }));
}

// Tensors with a row, by what stands before the part of their name that has it.
std::map<std::string, size_t> mapped_by_prefix(const std::vector<std::string>& names,
                                               const FamilyIndex& index) {
  std::map<std::string, size_t> counts;
  for (const std::string& name : names) {
    size_t start = 0;
    for (size_t parts = 0; parts <= k_max_prefix_parts; ++parts) {
      const auto match = index.match(std::string_view(name).substr(start));
      if (match && match->row != nullptr) ++counts[name.substr(0, start)];
      const size_t dot = name.find('.', start);
      if (dot == std::string::npos) break;
      start = dot + 1;
    }
  }
  return counts;
}

bool is_checkpoint(const Family& family) {
  const auto& kinds = checkpoint_kinds();
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](const CheckpointKind& kind) { return kind.family == &family; });
}

// A family fits when it explains at least half of what lies under its prefix: then single strangers are worth
// naming one by one.
bool fits(const Candidate& candidate, const std::vector<std::string>& names) {
  if (candidate.family == nullptr) return false;
  const FamilyIndex index(*candidate.family);
  size_t below = 0;
  size_t known = 0;
  for (const std::string& name : names) {
    if (!name.starts_with(candidate.prefix)) continue;
    ++below;
    if (index.match(std::string_view(name).substr(candidate.prefix.size()))) ++known;
  }
  return candidate.mapped > 0 && 2 * known >= below;
}

}  // namespace

NumberedName split_number(std::string_view name) {
  for (size_t start = 0; start <= name.size();) {
    const size_t end = std::min(name.find('.', start), name.size());
    const std::string_view part = name.substr(start, end - start);
    if (is_block_number(part)) {
      return {std::string(name.substr(0, start)) + "#" + std::string(name.substr(end)), std::string(part)};
    }
    start = end + 1;
  }
  return {std::string(name), {}};
}

std::string with_number(std::string_view pattern, std::string_view number) {
  std::string name(pattern);
  const size_t at = name.find('#');
  if (at != std::string::npos) name.replace(at, 1, number);
  return name;
}

std::string without_wrappers(std::string_view name) {
  std::string clean(name);
  for (const std::string_view wrapper : k_wrappers) {
    for (size_t at = clean.find(wrapper); at != std::string::npos; at = clean.find(wrapper, at)) {
      if (at == 0 || clean[at - 1] == '.') {
        clean.erase(at, wrapper.size());
      } else {
        ++at;
      }
    }
  }
  return clean;
}

FamilyIndex::FamilyIndex(const Family& family) {
  for (const NameRow& row : family.rows) rows_.emplace(row.stored, &row);
  for (const std::string_view name : family.ignored) {
    if (name.ends_with('*')) {
      ignored_starts_.push_back(name.substr(0, name.size() - 1));
    } else {
      rows_.emplace(name, nullptr);
    }
  }
}

std::optional<NameMatch> FamilyIndex::match(std::string_view name) const {
  // A literal '#' in a file's name must not pass for a number.
  if (name.find('#') != std::string_view::npos) return std::nullopt;
  // Names without a block number may contain numbers of their own (SAM's neck.0).
  if (const auto found = rows_.find(name); found != rows_.end()) return NameMatch{found->second, {}};
  NumberedName numbered = split_number(name);
  if (const auto found = rows_.find(numbered.pattern); found != rows_.end()) {
    return NameMatch{found->second, std::move(numbered.number)};
  }
  for (const std::string_view start : ignored_starts_) {
    if (name.starts_with(start)) return NameMatch{};
  }
  return std::nullopt;
}

// The family and prefix that give a meaning to most tensors. A prefix that the family lists wins over one
// found in the file that explains no more: teacher.backbone. over student.backbone.
Recognised recognise(const WeightFile& file) {
  std::vector<std::string> names;
  names.reserve(file.tensors().size());
  for (const TensorView& tensor : file.tensors()) names.push_back(without_wrappers(tensor.name));

  Candidate best;
  for (const Family* family : families()) {
    const FamilyIndex index(*family);
    for (const std::string_view prefix : family->prefixes) {
      const size_t mapped = mapped_under(names, index, prefix);
      if (mapped > best.mapped) best = {family, std::string(prefix), mapped};
    }
  }
  Recognised found;
  for (const Family* family : families()) {
    for (const auto& [prefix, mapped] : mapped_by_prefix(names, FamilyIndex(*family))) {
      if (mapped < k_least_found && !is_checkpoint(*family)) continue;
      if (mapped > best.mapped) {
        best = {family, prefix, mapped};
        found.rivals = {prefix};
      } else if (mapped == best.mapped && family == best.family && !found.rivals.empty() &&
                 prefix != best.prefix) {
        found.rivals.push_back(prefix);
      }
    }
  }
  if (!fits(best, names)) return {};
  if (found.rivals.size() > 1) return found;
  found.rivals.clear();
  found.family = best.family;
  found.prefix = best.prefix;
  found.beside = static_cast<size_t>(std::count_if(
      names.begin(), names.end(), [&](const std::string& name) { return !name.starts_with(best.prefix); }));
  return found;
}

}  // namespace crane::weights
