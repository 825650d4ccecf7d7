// A checksum of what a file says beside its large tensors, which have their own: metadata and lists of whole
// numbers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "weights/tensor_view.h"

namespace crane::weights {

// Where it stands in the metadata, of which it is no part.
inline constexpr const char* k_facts_checksum = "crane.facts.crc32";

// By their names.
using IntegerLists = std::map<std::string, std::span<const int64_t>>;

std::string facts_checksum(const std::map<std::string, std::string>& metadata, const IntegerLists& lists);

// Where the file has such a checksum it must be right, or the error has this code. Files of earlier versions
// have none.
void check_facts(const WeightFile& file, const char* code);

}  // namespace crane::weights
