#include "methods/vand/vand.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "layers/frozen_linear.h"
#include "methods/levels.h"
#include "methods/maps.h"
#include "methods/normal_memory.h"
#include "methods/sentence_pair.h"
#include "methods/vand/learner.h"
#include "methods/vand/levels.h"

namespace crane::methods {
namespace {

struct ClassContext final : Context {
  at::Tensor text;                          // [2, D] unit rows: normal, anomalous
  std::vector<layers::FrozenLinear> heads;  // one a level
  std::vector<at::Tensor> memory;           // of each level [M, width] unit rows; empty: no normal pictures

  at::Tensor text_vectors() const override { return text; }
};

// Of each picture its tokens of each level.
NormalMemory memory_of(const Towers& towers, const Material& material, std::span<const at::Tensor> normals,
                       const vand::Options& options) {
  const int64_t patches = towers.vision->grid_for(towers.height, towers.width).count();
  const std::vector<int64_t> rows{patches, towers.vision->width()};
  NormalMemory memory =
      held_memory(material, {vand::k_name, options.features, {options.features.size(), rows}}, towers.device);
  for (const at::Tensor& normal : normals) {
    const at::Tensor tokens = vand::picture_levels(*towers.vision, normal, options, nullptr).tokens;
    std::vector<at::Tensor>& picture = memory.pictures.emplace_back();
    for (int64_t i = 0; i < tokens.size(0); ++i) picture.push_back(layers::unit_rows(tokens[i]));
  }
  return memory;
}

std::string heads_file(const Material& material) {
  const auto file = material.files.find("heads");
  check_input(file != material.files.end(), "E_PROMPTS", vand::k_name, " needs a file of learned heads");
  return file->second;
}

// What one picture gives; `whole` is the map with the memory's distances in it.
struct PictureScore {
  at::Tensor cls;  // [1]
  at::Tensor map;  // [1, H, W]
};

PictureScore score_picture(const vision::Tower& tower, const at::Tensor& image, const ClassContext& context,
                           const vand::Options& options, Trace* trace) {
  const vision::Grid grid = tower.grid_of(image);
  const vand::PictureLevels levels = vand::picture_levels(tower, image, options, trace);
  const at::Tensor p = at::softmax(text_logits(levels.cls, context.text, options.temperature), -1);
  std::vector<at::Tensor> logits;     // [n, 2] each
  std::vector<at::Tensor> distances;  // [n] each
  at::Tensor map;
  for (size_t i = 0; i < context.heads.size(); ++i) {
    const at::Tensor tokens = levels.tokens[static_cast<int64_t>(i)];
    const at::Tensor z = layers::unit_rows(context.heads[i](tokens, nullptr));
    logits.push_back(text_logits(z, context.text, options.temperature));
    // The softmax of two channels is the sigmoid of their difference, and upsampling is linear.
    const at::Tensor difference =
        (logits.back().select(-1, 1) - logits.back().select(-1, 0)).view({1, -1, 1});
    const at::Tensor level =
        at::sigmoid(upsampled(difference, grid, image.size(2), image.size(3), /*align_corners=*/true))
            .select(1, 0);
    map = map.defined() ? map + level : level;
    if (context.memory.empty()) continue;
    const at::Tensor cosines = at::matmul(layers::unit_rows(tokens), context.memory[i].t());  // [n, M]
    distances.push_back(1 - std::get<0>(cosines.max(/*dim=*/-1)));
  }
  if (trace != nullptr) {
    trace->record("logits", at::stack(logits).unsqueeze(0));
    trace->record("zero_shot_map", map);
    if (!distances.empty()) trace->record("distances", at::stack(distances).unsqueeze(0));
  }
  if (!distances.empty()) {
    const at::Tensor sum = at::stack(distances).sum(0).view({1, -1, 1});
    map = map + upsampled(sum, grid, image.size(2), image.size(3), /*align_corners=*/true).select(1, 0);
  }
  return {p.select(-1, 1), map};
}

// Each row's value moved to [0, 1] between the least and the largest of its context's pictures.
std::vector<at::Tensor> scaled_over_contexts(const std::vector<at::Tensor>& values,
                                             const std::vector<const Context*>& contexts) {
  std::map<const Context*, std::pair<double, double>> ends;
  for (size_t b = 0; b < values.size(); ++b) {
    const double value = values[b].item<double>();
    auto [at, is_new] = ends.try_emplace(contexts[b], value, value);
    at->second = {std::min(at->second.first, value), std::max(at->second.second, value)};
  }
  std::vector<at::Tensor> scaled;
  for (size_t b = 0; b < values.size(); ++b) {
    const auto [least, most] = ends.at(contexts[b]);
    scaled.push_back(most > least ? (values[b] - least) / (most - least) : values[b] * 0);
  }
  return scaled;
}

}  // namespace

Vand::Vand(const Settings& settings) : Method(vand::k_name, settings), options_(vand::parse(settings)) {
  facts_.parts = {"class-token"};
  facts_.couples_pictures = options_.compat.class_min_max;
  facts_.is_recordable = !options_.compat.class_min_max;
}

std::shared_ptr<const Method> make_vand(const Settings& settings) { return std::make_shared<Vand>(settings); }

std::shared_ptr<const Context> Vand::prepare(const Towers& towers, const Material& material,
                                             std::span<const at::Tensor> normals) const {
  NormalMemory memory = memory_of(towers, material, normals, options_);
  if (material.texts.empty() && !memory.pictures.empty()) {
    return std::make_shared<NormalMemory>(std::move(memory));
  }
  auto context = std::make_shared<ClassContext>();
  const vand::HeadSizes sizes = vand::head_sizes(*towers.vision, options_);
  const vand::Heads heads = vand::load_heads(heads_file(material), sizes, towers.device);
  for (size_t i = 0; i < heads.size(); i += 2) {
    context->heads.emplace_back(layers::Linear{heads[i].second, heads[i + 1].second}, at::Tensor());
  }
  context->text = ensemble_pair(*towers.text, material.texts, text::Mean::unit, material.kept, name());
  for (size_t i = 0; i < context->heads.size() && !memory.pictures.empty(); ++i) {
    std::vector<at::Tensor> level;
    for (const auto& picture : memory.pictures) level.push_back(picture[i]);
    context->memory.push_back(at::cat(level, /*dim=*/0));
  }
  return context;
}

// Pictures run one by one: no bit of a score depends on what shares the call, unless compat.classMinMax is
// on.
Scores Vand::score(const Towers& towers, const Input& input, Trace* trace) const {
  std::vector<at::Tensor> cls;
  std::vector<at::Tensor> maps;
  std::vector<at::Tensor> largest;  // of maps with a memory
  bool has_memory = false;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const auto& context = own_context<ClassContext>(*input.contexts[static_cast<size_t>(b)], name());
    const PictureScore own =
        score_picture(*towers.vision, input.image.slice(0, b, b + 1), context, options_, trace);
    cls.push_back(own.cls);
    maps.push_back(own.map);
    has_memory = has_memory || !context.memory.empty();
    largest.push_back(own.map.amax({1, 2}) / static_cast<double>(context.heads.size()));
  }
  // The authors scale the maximum over all pictures of the class, which a service never has.
  if (has_memory && options_.compat.class_min_max) largest = scaled_over_contexts(largest, input.contexts);
  for (size_t b = 0; b < cls.size(); ++b) {
    const auto& context = own_context<ClassContext>(*input.contexts[b], name());
    if (!context.memory.empty()) cls[b] = 0.5 * (cls[b] + largest[b]);
  }
  const Scores scores{{at::cat(cls, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
  if (trace != nullptr) {
    trace->record("score", scores.parts[0]);
    trace->record("map", scores.map);
  }
  return scores;
}

std::optional<FeatureShape> Vand::feature_shape(const Towers& towers) const {
  check_levels(options_.features, towers.vision->layers());
  const int64_t patches = towers.vision->grid_for(towers.height, towers.width).count();
  const auto levels = static_cast<int64_t>(options_.features.size());
  return FeatureShape{{{"tokens", {levels, patches, towers.vision->width()}}}, {towers.height, towers.width}};
}

std::vector<NamedTensors> Vand::features(const Towers& towers, const at::Tensor& image) const {
  std::vector<NamedTensors> pictures;
  for (int64_t b = 0; b < image.size(0); ++b) {
    pictures.push_back(
        {{"tokens",
          vand::picture_levels(*towers.vision, image.slice(0, b, b + 1), options_, nullptr).tokens}});
  }
  return pictures;
}

std::unique_ptr<Learner> Vand::learner(const Towers& towers, const LearnerStart& start,
                                       const Settings& settings) const {
  const vand::HeadSizes sizes = vand::head_sizes(*towers.vision, options_);
  const bool is_checkpoint = start.kind == LearnerStart::Kind::checkpoint;
  const vand::Heads heads = is_checkpoint ? vand::load_heads(heads_file(start.material), sizes, towers.device)
                                          : vand::fresh_heads(start.seed, sizes, towers.device);
  return std::make_unique<vand::HeadLearner>(towers, start, heads, vand::parse_training(settings, options_));
}

void Vand::trace_context(const Towers& towers, const Material& material, const at::Tensor& /*guidance*/,
                         Trace& trace) const {
  const SentencePair pair = sentence_pair(material.texts, name());
  trace.record("features_raw", towers.text->get().encode_sentences(pair.normal));
  trace.record("features_raw", towers.text->get().encode_sentences(pair.anomalous));
}

}  // namespace crane::methods
