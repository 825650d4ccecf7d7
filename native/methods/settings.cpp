#include "methods/settings.h"

#include <cmath>

namespace crane::methods {
namespace {

int64_t whole(std::string_view name, double value, int64_t least, int64_t most) {
  check_input(
      std::floor(value) == value && value >= static_cast<double>(least) && value <= static_cast<double>(most),
      "E_MODEL_CONFIG", name, " is ", value, ", expected a whole number from ", least, " to ", most);
  return static_cast<int64_t>(value);
}

}  // namespace

template <typename Kind>
const Kind* SettingsReader::find(std::string_view name, std::string_view expected) {
  const auto found = settings_.find(name);
  if (found == settings_.end()) return nullptr;
  read_.insert(found->first);
  const Kind* value = std::get_if<Kind>(&found->second);
  check_input(value != nullptr, "E_MODEL_CONFIG", name, ": expected ", expected);
  return value;
}

void SettingsReader::flag(std::string_view name, bool& into) {
  if (const bool* value = find<bool>(name, "true or false")) into = *value;
}

void SettingsReader::number(std::string_view name, double& into, double least, double most) {
  const double* value = find<double>(name, "a number");
  if (value == nullptr) return;
  check_input(*value >= least && *value <= most, "E_MODEL_CONFIG", name, " is ", *value,
              ", expected a number from ", least, " to ", most);
  into = *value;
}

void SettingsReader::integer(std::string_view name, int64_t& into, int64_t least, int64_t most) {
  if (const double* value = find<double>(name, "a whole number")) into = whole(name, *value, least, most);
}

void SettingsReader::integers(std::string_view name, std::vector<int64_t>& into) {
  const auto* values = find<std::vector<double>>(name, "a list of whole numbers");
  if (values == nullptr) return;
  into.clear();
  for (const double value : *values) {
    into.push_back(
        whole(name, value, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
  }
}

void SettingsReader::text(std::string_view name, std::string& into) {
  if (const auto* value = find<std::string>(name, "a text")) into = *value;
}

void SettingsReader::texts(std::string_view name, std::vector<std::string>& into) {
  const auto found = settings_.find(name);
  // An empty list of JavaScript does not tell what it is a list of.
  const auto* numbers = found == settings_.end() ? nullptr : std::get_if<std::vector<double>>(&found->second);
  if (numbers != nullptr && numbers->empty()) {
    read_.insert(found->first);
    into.clear();
    return;
  }
  if (const auto* values = find<std::vector<std::string>>(name, "a list of texts")) into = *values;
}

void SettingsReader::finish(std::string_view method) const {
  for (const auto& [name, value] : settings_) {
    check_input(read_.contains(name), "E_MODEL_CONFIG", "method ", method, " has no setting \"", name, "\"");
  }
}

}  // namespace crane::methods
