#include "methods/adaclip/trainable.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "core/error.h"
#include "methods/adaclip/options.h"
#include "train/tensor_list.h"
#include "weights/checker.h"
#include "weights/torch_zip_writer.h"

namespace crane::methods::adaclip {
namespace {

constexpr double k_spread = 0.02;  // standard deviation of new prompts

constexpr const char* k_file_prefix = "clip_model.";
constexpr std::string_view k_prefixes[] = {"clip_model.", ""};
constexpr weights::NameRow k_rows[] = {
    {"text_prompter.static_prompts.#", "text_prompter.static_prompts.#"},
    {"visual_prompter.static_prompts.#", "visual_prompter.static_prompts.#"},
    {"patch_token_layer.head.#.weight", "patch_token_layer.head.#.weight"},
    {"patch_token_layer.head.#.bias", "patch_token_layer.head.#.bias"},
    {"cls_token_layer.head.#.weight", "cls_token_layer.head.#.weight"},
    {"cls_token_layer.head.#.bias", "cls_token_layer.head.#.bias"},
    {"dynamic_visual_prompt_generator.head.#.weight", "dynamic_visual_prompt_generator.head.#.weight"},
    {"dynamic_visual_prompt_generator.head.#.bias", "dynamic_visual_prompt_generator.head.#.bias"},
    {"dynamic_text_prompt_generator.head.#.weight", "dynamic_text_prompt_generator.head.#.weight"},
    {"dynamic_text_prompt_generator.head.#.bias", "dynamic_text_prompt_generator.head.#.bias"},
};
constexpr weights::Family k_family = {"adaclip", k_prefixes, k_rows, {}};

constexpr const char* k_visual_prompts = "visual_prompter.static_prompts.";
constexpr const char* k_text_prompts = "text_prompter.static_prompts.";
constexpr const char* k_visual_generators = "dynamic_visual_prompt_generator.head.";
constexpr const char* k_text_generators = "dynamic_text_prompt_generator.head.";
constexpr const char* k_patch_heads = "patch_token_layer.head.";
constexpr const char* k_class_head = "cls_token_layer.head.";

// How many of each there are.
struct Counts {
  int64_t blocks = 0;  // prompted
  int64_t rows = 0;    // of a prompt
  int64_t levels = 0;
};

struct Found {
  Counts counts;
  Sizes sizes;
};

// Names with their shapes, in the order of the authors' file.
std::vector<std::pair<std::string, weights::Shape>> layout(const Counts& counts, const Sizes& sizes) {
  std::vector<std::pair<std::string, weights::Shape>> all;
  const auto prompts = [&](const char* prefix, int64_t width) {
    for (int64_t b = 0; b < counts.blocks; ++b)
      all.emplace_back(join_text(prefix, b), weights::Shape{counts.rows, width});
  };
  const auto layers = [&](const char* prefix, int64_t count, int64_t out, int64_t in) {
    for (int64_t i = 0; i < count; ++i) {
      all.emplace_back(join_text(prefix, i, ".weight"), weights::Shape{out, in});
      all.emplace_back(join_text(prefix, i, ".bias"), weights::Shape{out});
    }
  };
  prompts(k_text_prompts, sizes.text_width);
  prompts(k_visual_prompts, sizes.vision_width);
  layers(k_patch_heads, counts.levels, sizes.joint, sizes.vision_width);
  layers(k_class_head, 1, sizes.joint, sizes.joint);
  layers(k_visual_generators, counts.rows, sizes.vision_width, sizes.joint);
  layers(k_text_generators, counts.rows, sizes.text_width, sizes.joint);
  return all;
}

bool is_there(const weights::CanonicalWeights& weights) {
  return weights::has_any(weights, k_visual_prompts) || weights::has_any(weights, k_text_prompts) ||
         weights::has_any(weights, k_patch_heads);
}

Found sizes_of(const weights::CanonicalWeights& weights) {
  weights::Checker checker(weights);
  const auto pair = [&](const std::string& name) -> const weights::CanonicalTensor& {
    const weights::CanonicalTensor& tensor = checker.floating(name);
    if (tensor.shape.size() != 2 || tensor.shape[0] < 1 || tensor.shape[1] < 1)
      checker.fail(tensor, weights::shape_text(tensor.shape), "two axes, each of 1 at least");
    return tensor;
  };
  Found found;
  const weights::CanonicalTensor& visual = pair(join_text(k_visual_prompts, 0));
  const weights::CanonicalTensor& text = pair(join_text(k_text_prompts, 0));
  const weights::CanonicalTensor& head = pair(join_text(k_patch_heads, 0, ".weight"));
  found.counts.rows = visual.shape[0];
  found.counts.blocks = weights::count_numbered(weights, k_visual_prompts);
  found.counts.levels = weights::count_numbered(weights, k_patch_heads);
  found.sizes.vision_width = visual.shape[1];
  found.sizes.text_width = text.shape[1];
  found.sizes.joint = head.shape[0];
  found.sizes.levels = found.counts.levels;
  // A shape may claim more rows than memory can name: asked for are no more of their layers than there are,
  // and the first that is missing.
  for (const char* generators : {k_visual_generators, k_text_generators}) {
    const int64_t there = weights::count_numbered(weights, generators);
    for (int64_t i = 0; i < found.counts.rows && i <= there; ++i)
      checker.floating(join_text(generators, i, ".weight"));
  }
  for (const auto& [name, shape] : layout(found.counts, found.sizes)) checker.floating(name, shape);
  return found;
}

void check_fits(const std::string& where, const Found& found, const Sizes& towers) {
  const Sizes& own = found.sizes;
  check_input(own.vision_width == towers.vision_width && own.text_width == towers.text_width &&
                  own.joint == towers.joint,
              "E_PROMPTS", where, ": made for towers of ", own.vision_width, " and ", own.text_width,
              " channels that meet in ", own.joint, ", these have ", towers.vision_width, ", ",
              towers.text_width, " and ", towers.joint);
}

void check(const weights::CanonicalWeights& weights, const weights::Structure& towers) {
  const Found found = sizes_of(weights);
  if (!towers.vision || !towers.text) return;
  const Sizes sizes{0, towers.vision->width, towers.text->width, towers.vision->joint_width, 0, 0};
  check_fits(weights.at(join_text(k_visual_prompts, 0)).where(), found, sizes);
}

void check_blocks(const std::string& where, int64_t blocks, const Sizes& sizes) {
  check_input(blocks <= sizes.vision_blocks && blocks <= sizes.text_blocks, "E_PROMPTS", where, ": ", blocks,
              " prompted blocks for towers of ", sizes.vision_blocks, " and ", sizes.text_blocks);
}

}  // namespace

const weights::CheckpointKind k_checkpoint = {&k_family, is_there, check};

Trainable::Trainable(const train::Parameters& named) {
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, tensor] : named) by_name.emplace(name, tensor);
  const auto get = [&](const std::string& name) { return by_name.at(k_file_prefix + name); };
  const auto count = [&](const char* prefix, const char* suffix) {
    int64_t n = 0;
    while (by_name.contains(join_text(k_file_prefix, prefix, n, suffix))) ++n;
    return n;
  };
  const auto prompts = [&](const char* prefix) {
    std::vector<at::Tensor> all;
    for (int64_t b = 0; b < count(prefix, ""); ++b) all.push_back(get(join_text(prefix, b)));
    return all;
  };
  const auto linears = [&](const char* prefix) {
    std::vector<layers::Linear> all;
    for (int64_t i = 0; i < count(prefix, ".weight"); ++i)
      all.push_back({get(join_text(prefix, i, ".weight")), get(join_text(prefix, i, ".bias"))});
    return all;
  };
  visual_prompts = prompts(k_visual_prompts);
  text_prompts = prompts(k_text_prompts);
  visual_generators = linears(k_visual_generators);
  text_generators = linears(k_text_generators);
  patch_heads = linears(k_patch_heads);
  class_head = linears(k_class_head).front();
}

train::Parameters load(const std::string& path, const Sizes& sizes, at::Device device) {
  const weights::CanonicalWeights file = weights::canonicalise({weights::open_weights(path)});
  const Found found = sizes_of(file);
  check_fits(path, found, sizes);
  check_blocks(path, found.counts.blocks, sizes);
  check_input(found.counts.levels == sizes.levels, "E_PROMPTS", path, ": ", found.counts.levels,
              " heads for ", sizes.levels, " blocks listed in features");
  layers::TensorLoader loader(file, device);
  train::Parameters named;
  for (const auto& [name, shape] : layout(found.counts, found.sizes)) {
    named.emplace_back(k_file_prefix + name, loader.required(name));
  }
  return named;
}

train::Parameters fresh(uint64_t seed, const Sizes& sizes, int64_t prompt_rows, int64_t prompted_blocks,
                        at::Device device) {
  check_blocks("deepBlocks", prompted_blocks, sizes);
  at::Generator generator = at::detail::createCPUGenerator(seed);
  train::Parameters named;
  double most = 0;  // of the linear layer whose weight came last
  for (const auto& [name, shape] : layout({prompted_blocks, prompt_rows, sizes.levels}, sizes)) {
    at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
    if (name.find("static_prompts") != std::string::npos) {
      tensor.normal_(0.0, k_spread, generator);
    } else {
      if (shape.size() == 2) most = 1 / std::sqrt(static_cast<double>(shape[1]));
      tensor.uniform_(-most, most, generator);
    }
    named.emplace_back(k_file_prefix + name, tensor.to(device));
  }
  return named;
}

train::Parameters saved(const train::SavedTraining& file, const Sizes& sizes, at::Device device) {
  const auto stored = [](const std::string& name) { return join_text("param.", k_file_prefix, name); };
  Counts counts{0, 0, sizes.levels};
  while (file.has(stored(join_text(k_visual_prompts, counts.blocks)))) ++counts.blocks;
  check_input(counts.blocks > 0, "E_TRAIN_RESUME", file.path(), ": no saved training of ", k_name);
  check_blocks(file.path(), counts.blocks, sizes);
  const at::Tensor first = file.floats(stored(join_text(k_visual_prompts, 0)), at::kCPU);
  check_input(first.dim() == 2 && first.size(0) > 0 && first.size(1) == sizes.vision_width, "E_TRAIN_RESUME",
              file.path(), ": a prompt is no list of rows of ", sizes.vision_width);
  counts.rows = first.size(0);
  train::Parameters named;
  for (const auto& [name, shape] : layout(counts, sizes)) {
    const at::Tensor tensor = file.floats(stored(name), device);
    check_input(tensor.sizes() == at::IntArrayRef(shape), "E_TRAIN_RESUME", file.path(), ": ", name, " is ",
                weights::shape_text(tensor.sizes().vec()), ", expected ", weights::shape_text(shape));
    named.emplace_back(k_file_prefix + name, tensor);
  }
  return named;
}

void write(const std::string& path, const train::Parameters& named, CheckpointFormat format,
           const std::map<std::string, std::string>& metadata) {
  train::TensorList list;
  for (const auto& [name, tensor] : named) list.add(name, tensor);
  if (format == CheckpointFormat::pth) {
    weights::write_torch_zip(path, {}, list.views());
  } else {
    list.write_safetensors(path, metadata);
  }
}

}  // namespace crane::methods::adaclip
