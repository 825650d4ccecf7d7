// Walks the graph of a pickle and names its leaves by their path, joined with dots.
#pragma once

#include <functional>
#include <string>

#include "weights/pickle.h"

namespace crane::weights {

// Calls `visit` for each value that is not a container, in the order of the pickle, with a name such as
// "prompt_learner.ctx_pos". Dictionary keys may be texts or integers; lists and tuples count from 0; an
// object counts as the dictionary of its attributes. Cycles, and graphs that unfold to more than a file can
// mean, are refused. Errors: E_WEIGHTS_PICKLE.
using LeafVisitor = std::function<void(const std::string& name, const PickleValue& leaf)>;
void visit_leaves(const Pickle& pickle, const std::string& where, const LeafVisitor& visit);

// A text, number or truth value as metadata keeps it; for other kinds the empty string.
std::string leaf_text(const PickleValue& leaf);

}  // namespace crane::weights
