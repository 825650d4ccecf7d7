#include "train/stored_features.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/folder_lock.h"
#include "weights/zip.h"

namespace crane::train {
namespace {

constexpr std::string_view k_cells_prefix = "cells.";

// As stored in the metadata under "crc32.NAME".
std::string checksum(std::span<const std::byte> bytes) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", weights::crc32(bytes));
  return text;
}

std::span<const std::byte> bytes_of(const weights::TensorView& view) { return {view.data, view.bytes()}; }

std::string mask_of(const weights::TensorView& view) { return view.name.substr(k_cells_prefix.size()); }

std::vector<uint32_t> counts_of(const weights::TensorView& view) {
  std::vector<uint32_t> counts(static_cast<size_t>(view.numel()));
  std::memcpy(counts.data(), view.data, view.bytes());
  return counts;
}

}  // namespace

std::string cells_tensor(std::string_view name) { return std::string(k_cells_prefix).append(name); }

StoredFeatures open_features(const std::string& path, const FeatureSizes& sizes, int64_t cells) {
  StoredFeatures stored;
  stored.file = weights::open_weights(path);
  const auto& metadata = stored.file->metadata();
  const auto format = metadata.find(k_features_format);
  const std::string version = format == metadata.end() ? "" : format->second;
  check_input(version == k_features_version || version == k_features_version_before, "E_TRAIN_FEATURES", path,
              ": no file of the feature cache, or one of another version");
  stored.is_of_before = version == k_features_version_before;
  for (const auto& [name, expected] : sizes) {
    const weights::TensorView* view = stored.file->find(name);
    check_input(view != nullptr, "E_TRAIN_FEATURES", path, ": \"", name, "\" is missing");
    check_input(view->shape == expected, "E_TRAIN_FEATURES", path, ": features \"", name, "\" of ",
                weights::shape_text(view->shape), ", expected ", weights::shape_text(expected));
    check_input(view->dtype == weights::DType::f16 || view->dtype == weights::DType::f32, "E_TRAIN_FEATURES",
                path, ": features are neither f16 nor f32");
    stored.tensors.push_back(view);
  }
  if (stored.is_of_before) return stored;
  for (const weights::TensorView& view : stored.file->tensors()) {
    if (!view.name.starts_with(k_cells_prefix)) continue;
    check_input(view.dtype == weights::DType::i32 && view.shape == std::vector<int64_t>{cells},
                "E_TRAIN_FEATURES", path, ": ", weights::quote_name(view.name), " is ",
                weights::dtype_name(view.dtype), " of ", weights::shape_text(view.shape),
                ", expected i32 of [", cells, "]");
    stored.cells.push_back(&view);
  }
  return stored;
}

std::vector<uint32_t> cells_of(const StoredFeatures& stored, const std::string& name) {
  const std::string wanted = cells_tensor(name);
  const auto found =
      std::ranges::find_if(stored.cells, [&](const auto* view) { return view->name == wanted; });
  check_input(found != stored.cells.end(), "E_TRAIN_FEATURES", stored.file->path(),
              ": has no counts of the mask ", weights::quote_name(name));
  return counts_of(**found);
}

FeatureCheck check_features(const std::string& path, const FeatureSizes& sizes, int64_t cells) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {FeatureState::missing, {}};
  try {
    const StoredFeatures stored = open_features(path, sizes, cells);
    const auto& metadata = stored.file->metadata();
    const auto is_whole = [&](const weights::TensorView* view) {
      const auto said = metadata.find("crc32." + view->name);
      return said != metadata.end() && said->second == checksum(bytes_of(*view));
    };
    if (!std::ranges::all_of(stored.tensors, is_whole) || !std::ranges::all_of(stored.cells, is_whole)) {
      return {FeatureState::damaged, {}};
    }
    FeatureCheck found{stored.is_of_before ? FeatureState::of_before : FeatureState::whole, {}};
    for (const weights::TensorView* view : stored.cells) {
      uint64_t sum = 0;
      for (const uint32_t count : counts_of(*view)) sum += count;
      found.masks[mask_of(*view)] = sum;
    }
    return found;
  } catch (const Error& error) {
    return {error.code() == "E_WEIGHTS_NOT_FOUND" ? FeatureState::missing : FeatureState::damaged, {}};
  }
}

void add_cells(const std::string& path, const FeatureSizes& sizes, int64_t cells,
               std::span<const MaskCells> masks) {
  // Two that read the same file would each replace it without the other's counts.
  const FolderLock lock(path);
  const StoredFeatures stored = open_features(path, sizes, cells);
  FeatureContent content;
  for (const weights::TensorView* view : stored.tensors) {
    content.add(view->name, view->dtype, view->shape, bytes_of(*view));
  }
  content.add_others(stored, masks);
  for (const MaskCells& mask : masks) {
    CRANE_CHECK_INVARIANT(static_cast<int64_t>(mask.anomalous.size()) == cells, "a mask has counts for ",
                          mask.anomalous.size(), " cells, expected ", cells);
    content.add(mask);
  }
  content.write(path);
}

void FeatureContent::add(std::string name, weights::DType dtype, std::vector<int64_t> shape,
                         std::span<const std::byte> data) {
  entries.push_back({std::move(name), dtype, std::move(shape)});
  bytes.push_back(data);
}

void FeatureContent::add(const MaskCells& mask) {
  add(cells_tensor(mask.name), weights::DType::i32, {static_cast<int64_t>(mask.anomalous.size())},
      std::as_bytes(std::span(mask.anomalous)));
}

void FeatureContent::add_others(const StoredFeatures& stored, std::span<const MaskCells> masks) {
  for (const weights::TensorView* view : stored.cells) {
    const std::string name = mask_of(*view);
    if (std::ranges::none_of(masks, [&](const MaskCells& mask) { return mask.name == name; })) {
      add(view->name, view->dtype, view->shape, bytes_of(*view));
    }
  }
}

void FeatureContent::write(const std::string& path) const {
  std::map<std::string, std::string> metadata{{k_features_format, k_features_version}};
  for (size_t i = 0; i < entries.size(); ++i) metadata["crc32." + entries[i].name] = checksum(bytes[i]);
  weights::SafetensorsWriter writer(path, entries, metadata);
  for (size_t i = 0; i < bytes.size(); ++i) writer.append(i, bytes[i]);
  writer.finish();
}

}  // namespace crane::train
