#include "kernels/choice.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/error.h"

namespace crane::kernels {
namespace {

// Kernels in the order of the table, by their rows at a precision.
std::vector<std::span<const Row>> kernels_at(Precision precision) {
  std::vector<std::span<const Row>> kernels;
  std::vector<std::string_view> names;
  for (const Row& row : table()) {
    if (std::find(names.begin(), names.end(), row.kernel) != names.end()) continue;
    names.push_back(row.kernel);
    kernels.push_back(rows_of(row.kernel, precision));
  }
  return kernels;
}

const Row& best_of(std::span<const Row> rows) {
  for (const Row& row : rows) {
    if (!row.only_when_asked && can_run(row)) return row;
  }
  return rows.back();
}

using Choices = std::map<std::string_view, const Row*>;

// Whether `entry` names a face of the kernels at this precision; if so it is chosen.
bool apply(std::string_view entry, Precision precision, Choices& choices) {
  const size_t sign = entry.find('=');
  const std::string_view kernel = sign == std::string_view::npos ? "" : entry.substr(0, sign);
  const std::string_view face = sign == std::string_view::npos ? entry : entry.substr(sign + 1);
  bool is_known = false;
  for (const std::span<const Row> rows : kernels_at(precision)) {
    if (sign != std::string_view::npos && kernel != rows.front().kernel) continue;
    for (const Row& row : rows) {
      if (row.face != face) continue;
      check_input(can_run(row), "E_USAGE", "CRANE_KERNELS asks for ", entry, ", which needs ",
                  isa_bits(row.needs), "; usable here: ", isa_bits(usable_isa()));
      choices[row.kernel] = &row;
      is_known = true;
    }
  }
  return is_known;
}

// "linear (avx512, avx2, onednn, ref; in bfloat16 avx512bf16, ref)", and so for every kernel.
std::string listed_kernels() {
  std::string text;
  for (const std::span<const Row> of_kernel : kernels_at(Precision::float32)) {
    const std::string_view kernel = of_kernel.front().kernel;
    text.append(text.empty() ? "" : ", ").append(kernel).append(" (");
    const Row* before = nullptr;
    for (const Row& row : table()) {
      if (row.kernel != kernel) continue;
      if (before != nullptr) text.append(row.precision == before->precision ? ", " : "; ");
      const bool is_new = before == nullptr || row.precision != before->precision;
      if (is_new && row.precision != Precision::float32) {
        text.append("in ").append(precision_name(row.precision)).append(" ");
      }
      text.append(row.face);
      before = &row;
    }
    text.append(")");
  }
  return text;
}

// Calls use(entry) for every entry of a list.
template <typename Use>
void each_entry(std::string_view list, Use use) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    use(list.substr(0, comma));
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
}

// What the list asks for. An entry may be meant for engines of another precision, but must be known to one.
Choices asked_for(std::string_view list, Precision precision) {
  Choices choices;
  each_entry(list, [&](std::string_view entry) {
    bool is_known = apply(entry, precision, choices);
    for (const Precision other : listed_precisions()) {
      Choices ignored;
      is_known = is_known || apply(entry, other, ignored);
    }
    check_input(is_known, "E_USAGE", "CRANE_KERNELS: \"", entry, "\" is no face of a kernel; there are ",
                listed_kernels());
  });
  return choices;
}

Choices choose(std::string_view list, Precision precision) {
  Choices choices = asked_for(list, precision);
  for (const std::span<const Row> rows : kernels_at(precision)) {
    choices.try_emplace(rows.front().kernel, &best_of(rows));
  }
  return choices;
}

std::string text_of(const Choices& choices) {
  std::string text;
  for (const std::span<const Row> rows : kernels_at(Precision::float32)) {
    const std::string_view kernel = rows.front().kernel;
    text.append(text.empty() ? "" : ",").append(kernel).append("=").append(choices.at(kernel)->face);
  }
  return text;
}

std::string_view wanted_by_user() {
  const char* list = std::getenv("CRANE_KERNELS");
  return list == nullptr ? "" : list;
}

// A precision without rows of its own chooses as float32 does. Where it throws, the next call tries again.
const Choices& choices(Precision precision) {
  static const std::map<Precision, Choices> chosen = [] {
    std::map<Precision, Choices> made;
    for (const Precision each : listed_precisions()) made[each] = choose(wanted_by_user(), each);
    return made;
  }();
  const auto own = chosen.find(precision);
  return own == chosen.end() ? chosen.at(Precision::float32) : own->second;
}

}  // namespace

const Row& chosen(std::string_view kernel, Precision precision) { return *choices(precision).at(kernel); }

std::string_view chosen_face(std::string_view kernel, Precision precision) {
  return chosen(kernel, precision).face;
}

bool can_run(const Row& row) { return includes(usable_isa(), row.needs); }

bool can_run(const PeakRow& row) { return includes(usable_isa(), row.needs); }

bool can_run(std::string_view face) {
  return std::any_of(table().begin(), table().end(),
                     [&](const Row& row) { return row.face == face && can_run(row); });
}

bool may_use(Isa isa) {
  static const bool only_definitions = [] {
    bool found = false;
    each_entry(wanted_by_user(), [&](std::string_view entry) { found = found || entry == "ref"; });
    return found;
  }();
  return !only_definitions && includes(usable_isa(), isa);
}

bool can_multiply_in(Precision precision) {
  if (precision == Precision::float32) return true;
  const Choices asked = asked_for(wanted_by_user(), precision);
  bool has_own = false;
  for (const std::span<const Row> rows : kernels_at(precision)) {
    if (rows.front().precision != precision) continue;
    has_own = true;
    if (&best_of(rows) == &rows.back() && !asked.contains(rows.front().kernel)) return false;
  }
  return has_own;
}

std::string instructions_of(Precision precision) {
  std::string text;
  const std::span<const Row> rows = rows_of("linear", precision);
  for (const Row& row : rows) {
    if (row.precision != precision || row.needs == Isa::none) continue;
    // What needs more than another face makes the same products faster.
    const bool needs_more = std::any_of(rows.begin(), rows.end(), [&](const Row& other) {
      return other.needs != Isa::none && other.needs != row.needs && includes(row.needs, other.needs);
    });
    if (needs_more) continue;
    text.append(text.empty() ? "" : " or ").append(isa_bits(row.needs));
  }
  return text.empty() ? "instructions that this build has no kernels for" : text;
}

std::vector<Precision> listed_precisions() {
  std::vector<Precision> found;
  for (const Row& row : table()) {
    if (std::find(found.begin(), found.end(), row.precision) == found.end()) found.push_back(row.precision);
  }
  return found;
}

std::string chosen_kernels(Precision precision) { return text_of(choices(precision)); }

std::string kernels_chosen_by(std::string_view list, Precision precision) {
  return text_of(choose(list, precision));
}

}  // namespace crane::kernels
