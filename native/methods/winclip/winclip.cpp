#include "methods/winclip/winclip.h"

#include <ATen/ops/amax.h>

#include <algorithm>

#include "core/error.h"
#include "cuda/tensors.h"
#include "methods/normal_memory.h"
#include "methods/winclip/window_features.h"
#include "methods/winclip/window_maps.h"
#include "text/ensemble.h"
#include "vision/windows.h"

namespace crane::methods {
namespace winclip {
namespace {

using Contexts = std::span<const Context* const>;

// Features of the sentences of both groups, [S, D] each. Errors: E_PROMPTS.
std::map<std::string, at::Tensor> sentence_features(const Towers& towers, const Material& material) {
  for (const auto& [part, path] : material.files) {
    check_input(part == "memory", "E_PROMPTS", "winclip learns nothing and takes no file of ", part, ", got ",
                path);
  }
  for (const char* group : {"normal", "anomalous"}) {
    const auto found = material.texts.find(group);
    check_input(found != material.texts.end() && !found->second.empty(), "E_PROMPTS",
                "winclip compares with sentences, and there is none of ", group, " parts");
  }
  const text::SentenceGroups groups{{"normal", material.texts.at("normal")},
                                    {"anomalous", material.texts.at("anomalous")}};
  return text::encode_groups(*towers.text, groups, material.kept);
}

// [2, D] unit rows.
at::Tensor text_pair(const std::map<std::string, at::Tensor>& features, const Options& options) {
  const text::Mean mean = options.compat.raw_text_mean ? text::Mean::raw : text::Mean::unit;
  return at::stack(
      {text::mean_vector(features.at("normal"), mean), text::mean_vector(features.at("anomalous"), mean)},
      /*dim=*/0);
}

// Blue first, as if the picture had been read so: each channel with the constants of its place.
at::Tensor with_blue_first(const at::Tensor& image, const vision::TowerConfig& config) {
  const auto constants = [&](const std::array<double, 3>& values) {
    return cuda::numbers_on(values, at::kFloat, image.device()).view({1, 3, 1, 1});
  };
  const at::Tensor mean = constants(config.mean);
  const at::Tensor std = constants(config.std);
  return ((image * std + mean).flip(1) - mean) / std;
}

NormalMemory memory_of(const Towers& towers, const Material& material, std::span<const at::Tensor> normals,
                       const std::vector<int64_t>& sides) {
  MemoryShape shape{"winclip", sides, {}};
  const vision::Grid grid = towers.vision->grid_for(towers.height, towers.width);
  for (const int64_t side : sides) {
    shape.rows.push_back({(grid.height - side + 1) * (grid.width - side + 1), towers.vision->joint_width()});
  }
  NormalMemory memory = held_memory(material, shape, towers.device);
  for (const at::Tensor& normal : normals) {
    std::vector<at::Tensor>& picture = memory.pictures.emplace_back();
    for (const at::Tensor& of_side : window_features(*towers.vision, normal, sides)) {
      picture.push_back(of_side[0]);
    }
  }
  return memory;
}

// Of each side the windows of the pictures that count; none without a picture.
std::vector<at::Tensor> gallery_of(const NormalMemory& memory, const Options& options) {
  const auto count = static_cast<int64_t>(memory.pictures.size());
  if (count == 0) return {};
  const int64_t batch = options.compat.gallery_batch;
  const auto first = static_cast<size_t>(batch > 0 ? (count - 1) / batch * batch : 0);
  std::vector<at::Tensor> gallery;
  for (size_t s = 0; s < memory.parts.size(); ++s) {
    std::vector<at::Tensor> of_side;
    for (size_t i = first; i < memory.pictures.size(); ++i) of_side.push_back(memory.pictures[i][s]);
    gallery.push_back(at::cat(of_side, /*dim=*/0));
  }
  return gallery;
}

// text [B, 2, D], features [B, W, D] -> [B, W, 2]: normal, anomalous.
at::Tensor probabilities(const at::Tensor& features, const at::Tensor& text, double temperature) {
  // In double up to the map: a hundredth as the temperature makes the last digits of a cosine count.
  const at::Tensor cosines = at::matmul(features.to(at::kDouble), text.to(at::kDouble).transpose(1, 2));
  return at::softmax(cosines / temperature, /*dim=*/-1);
}

// features: for each side [W, D] of one picture -> [height, width] within [0, 1].
at::Tensor visual_map(const std::vector<at::Tensor>& features, const Reference& reference, vision::Grid grid,
                      const Options& options) {
  at::Tensor sum;
  for (size_t s = 0; s < features.size(); ++s) {
    at::Tensor far = distances(features[s], reference.gallery[s]);
    if (options.compat.gallery_lag && s > 0) {
      const at::Tensor first = distances(features[s].slice(0, 0, 1), reference.gallery[s - 1]);
      far = at::cat({first, far.slice(0, 1)}, /*dim=*/0);
    }
    const at::Tensor of_side = mean_of_covering(far.unsqueeze(0), grid, options.window_sides[s])[0];
    sum = sum.defined() ? sum + of_side : of_side;
  }
  return sum / static_cast<double>(features.size());
}

}  // namespace

Winclip::Winclip(const Settings& settings) : Method("winclip", settings), options_(parse(settings)) {
  // Not recordable: the windows' rows come from the host in every call.
  facts_.parts = {"window-max"};
}

std::shared_ptr<const Context> Winclip::prepare(const Towers& towers, const Material& material,
                                                std::span<const at::Tensor> normals) const {
  NormalMemory memory = memory_of(towers, material, normals, options_.window_sides);
  if (material.texts.empty() && !memory.pictures.empty()) {
    return std::make_shared<NormalMemory>(std::move(memory));
  }
  auto reference = std::make_shared<Reference>();
  reference->text = text_pair(sentence_features(towers, material), options_);
  reference->gallery = gallery_of(memory, options_);
  return reference;
}

Scores Winclip::score_together(const Towers& towers, const at::Tensor& image, Contexts contexts,
                               Trace* trace) const {
  const vision::Grid grid = towers.vision->grid_of(image);
  std::vector<at::Tensor> texts;
  for (const Context* context : contexts) texts.push_back(own_context<Reference>(*context, "winclip").text);
  const at::Tensor text = at::stack(texts, /*dim=*/0);
  const at::Tensor seen = options_.compat.bgr ? with_blue_first(image, towers.vision->config()) : image;
  const std::vector<at::Tensor> features = window_features(*towers.vision, seen, options_.window_sides);

  std::vector<at::Tensor> p;
  std::vector<at::Tensor> normal;
  for (const at::Tensor& of_side : features) {
    p.push_back(probabilities(of_side, text, options_.temperature));
    normal.push_back(p.back().select(-1, 0));
  }
  const at::Tensor textual = textual_map(normal, grid, options_.window_sides).to(at::kFloat);

  std::vector<at::Tensor> cells;
  for (size_t b = 0; b < contexts.size(); ++b) {
    const auto& reference = own_context<Reference>(*contexts[b], "winclip");
    const auto at = static_cast<int64_t>(b);
    if (reference.gallery.empty()) {
      cells.push_back(options_.compat.halved_map ? 0.5 * textual[at] : textual[at]);
      continue;
    }
    std::vector<at::Tensor> own;
    own.reserve(features.size());
    for (const at::Tensor& of_side : features) own.push_back(of_side[at]);
    const at::Tensor visual = visual_map(own, reference, grid, options_);
    if (trace) trace->record("visual_map", visual.unsqueeze(0));
    cells.push_back(harmonic_fusion(textual[at], visual));
  }

  const int64_t height = options_.map_side > 0 ? options_.map_side : image.size(2);
  const int64_t width = options_.map_side > 0 ? options_.map_side : image.size(3);
  Scores scores;
  scores.map = at::upsample_bilinear2d(at::stack(cells, /*dim=*/0).unsqueeze(1), {height, width},
                                       /*align_corners=*/false)
                   .squeeze(1);
  scores.parts = {at::amax(scores.map, {1, 2})};
  if (trace) {
    for (const int64_t side : options_.window_sides) {
      trace->record(join_text("windows.side", side), vision::window_rows(grid, side, at::kCPU));
    }
    trace->record("window_features", at::cat(features, /*dim=*/1));
    trace->record("window_probabilities", at::cat(p, /*dim=*/1));
    trace->record("textual_map", textual);
    trace->record("map", scores.map);
    trace->record("score", scores.parts[0]);
  }
  return scores;
}

// On a CPU pictures run one by one: no bit of a score depends on what shares the call.
Scores Winclip::score(const Towers& towers, const Input& input, Trace* trace) const {
  const Contexts contexts(input.contexts);
  if (cuda::runs_batches(input.image.device()) && trace == nullptr) {
    return score_together(towers, input.image, contexts, nullptr);
  }
  std::vector<at::Tensor> parts;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const Scores one = score_together(towers, input.image.slice(0, b, b + 1),
                                      contexts.subspan(static_cast<size_t>(b), 1), trace);
    parts.push_back(one.parts[0]);
    maps.push_back(one.map);
  }
  return {{at::cat(parts, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
}

void Winclip::trace_context(const Towers& towers, const Material& material, const at::Tensor& /*guidance*/,
                            Trace& trace) const {
  const auto features = sentence_features(towers, material);
  for (const auto& [group, rows] : features) trace.record("sentences." + group, rows);
  trace.record("text_mean", at::stack({features.at("normal").mean(0), features.at("anomalous").mean(0)}, 0));
  trace.record("text_features", text_pair(features, options_));
}

}  // namespace winclip

std::shared_ptr<const Method> make_winclip(const Settings& settings) {
  return std::make_shared<winclip::Winclip>(settings);
}

}  // namespace crane::methods
