// A model in several files: the index that names them (model.safetensors.index.json), or the folder they lie
// in.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/mapped_file.h"
#include "weights/tensor_view.h"

namespace crane::weights {

// open_weights() of a file that was mapped already.
std::shared_ptr<const WeightFile> open_mapped(const std::shared_ptr<const MappedFile>& mapping,
                                              const std::string& path);

// Whether these are the first bytes of a JSON object.
bool is_index(std::span<const std::byte> bytes);

// index: the bytes of the file at `path`, whose `weight_map` says for each tensor which file beside it has
// it. Errors: E_WEIGHTS_CONTAINER for an index that is none or names files elsewhere; E_WEIGHTS_NOT_FOUND for
// a file that is not there; E_WEIGHTS_MISSING and E_WEIGHTS_EXTRA where index and files differ; those of
// open_weights.
std::shared_ptr<const WeightFile> open_index(std::span<const std::byte> index, const std::string& path);

// The one index of a folder; without any, the files numbered 00001-of-0000N, or the only weight file.
// Errors: E_WEIGHTS_CONTAINER where a folder holds none of these, or several; those of open_index.
std::shared_ptr<const WeightFile> open_weight_folder(const std::string& folder);

// All files that were read: of a model in several files each of them, else the one.
std::vector<std::string> files_of(const WeightFile& file);

}  // namespace crane::weights
