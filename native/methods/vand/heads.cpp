#include "methods/vand/heads.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "core/error.h"
#include "layers/linear.h"
#include "train/tensor_list.h"
#include "weights/checker.h"
#include "weights/torch_zip_writer.h"

namespace crane::methods::vand {
namespace {

constexpr const char* k_group = "trainable_linearlayer";
constexpr std::string_view k_prefixes[] = {"trainable_linearlayer.", ""};
constexpr weights::NameRow k_rows[] = {
    {"fc.#.weight", "fc.#.weight"},
    {"fc.#.bias", "fc.#.bias"},
};
constexpr weights::Family k_family = {"vand heads", k_prefixes, k_rows, {}};

std::string weight_of(int64_t level) { return join_text("fc.", level, ".weight"); }
std::string bias_of(int64_t level) { return join_text("fc.", level, ".bias"); }

bool is_there(const weights::CanonicalWeights& weights) { return weights::has_any(weights, "fc."); }

// Levels, width and joint width; all heads are alike.
HeadSizes sizes_of(const weights::CanonicalWeights& weights) {
  weights::Checker checker(weights);
  HeadSizes sizes;
  const weights::CanonicalTensor& first = checker.floating(weight_of(0));
  if (first.shape.size() != 2) checker.fail(first, weights::shape_text(first.shape), "[D, w]");
  sizes.joint = first.shape[0];
  sizes.width = first.shape[1];
  sizes.levels = weights::count_numbered(weights, "fc.");
  for (int64_t level = 0; level < sizes.levels; ++level) {
    checker.floating(weight_of(level), {sizes.joint, sizes.width}, weights::as_in(first));
    checker.floating(bias_of(level), {sizes.joint}, weights::as_in(first));
  }
  return sizes;
}

void check(const weights::CanonicalWeights& weights, const weights::Structure& towers) {
  const HeadSizes sizes = sizes_of(weights);
  check_input(
      !towers.vision || (sizes.width == towers.vision->width && sizes.joint == towers.vision->joint_width),
      "E_PROMPTS", weights.at(weight_of(0)).where(), " is [", sizes.joint, ", ", sizes.width,
      "], which does not fit the vision tower");
}

}  // namespace

const weights::CheckpointKind k_heads_checkpoint = {&k_family, is_there, check};

Heads load_heads(const std::string& path, const HeadSizes& sizes, at::Device device) {
  const weights::CanonicalWeights file = weights::canonicalise({weights::open_weights(path)});
  const HeadSizes found = sizes_of(file);
  check_input(found.width == sizes.width && found.joint == sizes.joint, "E_PROMPTS",
              file.at(weight_of(0)).where(), " is [", found.joint, ", ", found.width, "], expected [",
              sizes.joint, ", ", sizes.width, "] as the towers");
  check_input(found.levels == sizes.levels, "E_PROMPTS", path, ": ", found.levels, " heads for ",
              sizes.levels, " blocks listed in features");
  layers::TensorLoader loader(file, device);
  Heads heads;
  for (int64_t level = 0; level < sizes.levels; ++level) {
    for (const std::string& name : {weight_of(level), bias_of(level)}) {
      heads.emplace_back(name, loader.required(name));
    }
  }
  return heads;
}

Heads fresh_heads(uint64_t seed, const HeadSizes& sizes, at::Device device) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const double most = 1 / std::sqrt(static_cast<double>(sizes.width));
  const auto drawn = [&](at::IntArrayRef shape) {
    return at::empty(shape, at::TensorOptions().dtype(at::kFloat))
        .uniform_(-most, most, generator)
        .to(device);
  };
  Heads heads;
  for (int64_t level = 0; level < sizes.levels; ++level) {
    heads.emplace_back(weight_of(level), drawn({sizes.joint, sizes.width}));
    heads.emplace_back(bias_of(level), drawn({sizes.joint}));
  }
  return heads;
}

void write_heads(const std::string& path, const Heads& heads, CheckpointFormat format,
                 const std::map<std::string, std::string>& metadata) {
  train::TensorList list;
  for (const auto& [name, tensor] : heads) list.add(name, tensor);
  if (format == CheckpointFormat::pth) {
    weights::write_torch_zip(path, k_group, list.views());
  } else {
    list.write_safetensors(path, metadata);
  }
}

}  // namespace crane::methods::vand
