// The methods by their names. Free of tensor headers.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "methods/settings.h"
#include "weights/checkpoint.h"

namespace crane::methods {

class Method;

using Maker = std::shared_ptr<const Method> (*)(const Settings& settings);

// A method with these settings. Errors: E_METHOD for a name that is none, E_MODEL_CONFIG for settings that
// the method does not take.
std::shared_ptr<const Method> make(std::string_view name, const Settings& settings);

// In alphabetical order.
std::vector<std::string> names();

// One method more, for the life of the process: the door for methods that are linked in beside the engine, as
// the tests' own. Before anything else runs; E_INTERNAL for a name that is taken.
void add(std::string_view name, Maker maker, const weights::CheckpointKind* checkpoint = nullptr);

}  // namespace crane::methods
