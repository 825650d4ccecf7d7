// Settings of a method as callers hand them over: a flat table of names and plain values. Names are those of
// the option table in src/options, a dot within them where that has one ("compat.batchMean"). Whoever passes
// a table on knows none of its entries; the method parses and checks its own. Free of tensor headers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

namespace crane::methods {

// Whole numbers come as doubles too, since JavaScript has no others.
using PlainValue = std::variant<bool, double, std::string, std::vector<double>, std::vector<std::string>>;
// Copied by assignment: libstdc++ 12's copy constructor of such a variant, when memory is refused within it,
// destroys what it has not made yet, and the process ends there instead of at bad_alloc.
class Value : public PlainValue {
 public:
  using PlainValue::PlainValue;
  Value() = default;
  Value(const Value& other) : PlainValue() { PlainValue::operator=(other); }
  Value(Value&&) = default;
  Value& operator=(const Value&) = default;
  Value& operator=(Value&&) = default;
  ~Value() = default;
};
using Settings = std::map<std::string, Value, std::less<>>;

// Reads a table into a method's own struct, which holds the defaults: what is not in the table stays as it
// was. Every fault is E_MODEL_CONFIG and names setting and value.
class SettingsReader {
 public:
  // `settings` outlives this.
  explicit SettingsReader(const Settings& settings) : settings_(settings) {}

  void flag(std::string_view name, bool& into);
  // Within [least, most].
  void number(std::string_view name, double& into, double least = -std::numeric_limits<double>::infinity(),
              double most = std::numeric_limits<double>::infinity());
  // A whole number within [least, most].
  void integer(std::string_view name, int64_t& into, int64_t least = std::numeric_limits<int32_t>::min(),
               int64_t most = std::numeric_limits<int32_t>::max());
  void integers(std::string_view name, std::vector<int64_t>& into);
  void text(std::string_view name, std::string& into);
  void texts(std::string_view name, std::vector<std::string>& into);
  // One of the words; anything else would silently mean the default.
  template <typename Choice>
  void word(std::string_view name, Choice& into,
            std::initializer_list<std::pair<std::string_view, Choice>> words) {
    std::string given;
    text(name, given);
    if (!settings_.contains(name)) return;
    std::string known;
    for (const auto& [word, choice] : words) {
      if (given == word) {
        into = choice;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    check_input(false, "E_MODEL_CONFIG", name, " \"", given, "\" is none of ", known);
  }

  // After all were read: refuses a table with an entry that nobody asked for, which would otherwise say
  // nothing and change nothing.
  void finish(std::string_view method) const;

 private:
  template <typename Kind>
  const Kind* find(std::string_view name, std::string_view expected);

  const Settings& settings_;
  std::set<std::string_view> read_;
};

}  // namespace crane::methods
