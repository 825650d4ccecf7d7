#include "methods/anovl/anovl.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/replication_pad2d.h>

#include <algorithm>

#include "attention/plain.h"
#include "core/error.h"
#include "cuda/tensors.h"
#include "methods/anovl/views.h"
#include "text/ensemble.h"

namespace crane::methods {
namespace anovl {
namespace {

// Views that pass the blocks at once on a CPU: rows enough for every product, and no buffer that the
// allocator would fetch from the system anew each time (beyond 32 MB).
constexpr int64_t k_views_at_once = 7;

// Features of the sentences of both groups, [S, D] each. Errors: E_PROMPTS.
std::map<std::string, at::Tensor> sentence_features(const Towers& towers, const Material& material) {
  for (const char* group : {"normal", "anomalous"}) {
    const auto found = material.texts.find(group);
    check_input(found != material.texts.end() && !found->second.empty(), "E_PROMPTS",
                "anovl compares with sentences, and there is none of ", group, " parts");
  }
  const text::SentenceGroups groups{{"normal", material.texts.at("normal")},
                                    {"anomalous", material.texts.at("anomalous")}};
  return text::encode_groups(*towers.text, groups, material.kept);
}

Sentences sentences_of(const std::map<std::string, at::Tensor>& features, const Options& options) {
  const at::Tensor& normal = features.at("normal");
  const at::Tensor& anomalous = features.at("anomalous");
  const text::Mean mean = options.compat.raw_text_mean ? text::Mean::raw : text::Mean::unit;
  return {at::stack({text::mean_vector(normal, mean), text::mean_vector(anomalous, mean)}, /*dim=*/0),
          layers::unit_rows(at::cat({normal, anomalous}, /*dim=*/0))};
}

// What the whole picture gives in one pass: the class token of the plain stream, the patches of the stream
// that gathers the v-v attention of every block.
struct Seen {
  at::Tensor cls;      // [1, D]
  at::Tensor patches;  // [N, D]
};

// The public code shows these for each of `features` (four blocks, evenly apart): the second stream, of which
// it keeps one tensor that every block goes on changing, and the plain one, changed by the attention of one
// more.
void trace_streams(const vision::Tower& tower, const vision::Tapped& tapped, Trace& trace) {
  const at::Tensor gathered = at::cat({tapped.plain.slice(1, 0, 1), tapped.second.slice(1, 1)}, /*dim=*/1);
  trace.record("gathered", gathered);
  trace.record("tokens", tower.project(gathered));
  for (const auto& [number, level] : tapped.levels) {
    at::Tensor plain = level.clone();
    if (number < tower.layers()) {
      const layers::FrozenBlock& next = tower.blocks()[static_cast<size_t>(number)];
      const layers::Projections x = next.project(plain);
      next.add_attended(plain, attention::plain_attention(x.q, x.k, x.v, next.attention_scale()));
    }
    trace.record(join_text("plain.block", number < 10 ? "0" : "", number), plain);
  }
}

Seen see(const vision::Tower& tower, const at::Tensor& image, Trace* trace) {
  vision::Taps taps;
  taps.second = vision::SecondStream{{/*q=*/false, /*k=*/false, /*v=*/true}, /*first=*/1, {}};
  if (trace) {
    taps.end = vision::PlainEnd::all;
    for (int64_t number = 1; number <= tower.layers(); ++number) taps.levels.push_back(number);
  }
  const vision::Tapped tapped = tower.forward(image, taps);
  if (trace) trace_streams(tower, tapped, *trace);
  return {tower.project(tapped.plain.select(1, 0)),
          tower.project(tapped.second.slice(1, 1 + tower.registers()))[0]};
}

// views [V, 3, S, S] -> their class tokens alone, [V, D].
at::Tensor class_features(const vision::Tower& tower, const at::Tensor& views) {
  const int64_t at_once = cuda::runs_batches(views.device()) ? views.size(0) : k_views_at_once;
  std::vector<at::Tensor> features;
  for (int64_t first = 0; first < views.size(0); first += at_once) {
    const at::Tensor some = views.slice(0, first, std::min(first + at_once, views.size(0)));
    features.push_back(tower.project(tower.forward(some, vision::Taps{}).plain.select(1, 0)));
  }
  return at::cat(features, /*dim=*/0);
}

// p [N] -> the map [1, height, width]: mean over 3 x 3 cells, those at the edge repeated outwards.
at::Tensor map_of(const at::Tensor& p, vision::Grid grid, int64_t height, int64_t width) {
  const at::Tensor cells = p.view({1, 1, grid.height, grid.width});
  const at::Tensor smooth =
      at::avg_pool2d(at::replication_pad2d(cells, {1, 1, 1, 1}), {3, 3}, /*stride=*/{1});
  return at::upsample_bilinear2d(smooth, {height, width}, /*align_corners=*/true)[0];
}

}  // namespace

Anovl::Anovl(const Settings& settings) : Method("anovl", settings), options_(parse(settings)) {
  facts_.parts = {"class-token"};
  facts_.resize = image::Filter::bilinear;
  facts_.couples_pictures = options_.adapter != Adapter::none && options_.compat.carried_state;
}

std::shared_ptr<const Context> Anovl::prepare(const Towers& towers, const Material& material,
                                              std::span<const at::Tensor> normals) const {
  check_input(normals.empty(), "E_USAGE", "anovl compares with no normal pictures");
  for (const auto& [part, path] : material.files) {
    check_input(part == "draws" && options_.adapter != Adapter::none, "E_PROMPTS", "anovl takes no file of ",
                part, ", got ", path);
  }
  auto reference = std::make_shared<Reference>();
  reference->sentences = sentences_of(sentence_features(towers, material), options_);
  if (options_.adapter == Adapter::none) return reference;
  const int64_t width = towers.vision->joint_width();
  const int64_t cells = towers.vision->grid_for(towers.height, towers.width).count();
  const int64_t rows = options_.adapter == Adapter::text ? reference->sentences.all.size(0) : width;
  const auto file = material.files.find("draws");
  reference->draws = file == material.files.end() ? drawn(options_, rows, cells, width)
                                                  : read_draws(file->second, options_, rows, cells, width);
  check_input(options_.compat.carried_state || reference->draws.weight.size(0) == 1, "E_PROMPTS",
              "the file of draws is for ", reference->draws.weight.size(0),
              " pictures in their order, which only compat.carriedState follows");
  return reference;
}

at::Tensor Anovl::adapt(const at::Tensor& patches, const Reference& reference, Trace* trace) const {
  // Gradients are not to be had of what inference mode made.
  const c10::InferenceMode off(false);
  if (!options_.compat.carried_state) {
    return adapted(patches, reference.sentences, reference.draws, 0, options_, nullptr, trace);
  }
  const int64_t given = reference.draws.weight.size(0);
  const int64_t at = given == 1 ? 0 : reference.pictures;
  check_input(at < given, "E_PROMPTS", "the file of draws is for ", given, " pictures, and this is one more");
  const at::Tensor result =
      adapted(patches, reference.sentences, reference.draws, at, options_, &reference.carried, trace);
  ++reference.pictures;
  return result;
}

Scores Anovl::score_one(const Towers& towers, const at::Tensor& image, const Reference& reference,
                        Trace* trace) const {
  const vision::Tower& tower = *towers.vision;
  const at::Tensor& pair = reference.sentences.pair;
  Seen seen = see(tower, image, trace);
  at::Tensor cls = seen.cls;
  if (options_.augment) {
    // Of the other views nothing but the class token is wanted: one stream, and one row of the last block.
    cls = at::cat({cls, class_features(tower, other_views(image))}, /*dim=*/0);
  }
  const at::Tensor of_views = anomalous(cls, pair, options_.temperature);  // [V]
  const bool adapts = options_.adapter != Adapter::none;
  const at::Tensor patches = adapts ? adapt(seen.patches, reference, trace) : seen.patches;
  const at::Tensor p = anomalous(patches, pair, options_.temperature);

  Scores scores;
  scores.parts = {of_views.mean().view({1})};
  scores.map = map_of(p, tower.grid_of(image), image.size(2), image.size(3));
  if (trace) {
    trace->record("patches", seen.patches.unsqueeze(0));
    trace->record("view_probabilities", of_views.unsqueeze(0));
    trace->record("probabilities", p.unsqueeze(0));
    trace->record("map", scores.map);
    trace->record("score", scores.parts[0]);
  }
  return scores;
}

// Pictures run one by one everywhere: the views of one fill a GPU.
Scores Anovl::score(const Towers& towers, const Input& input, Trace* trace) const {
  std::vector<at::Tensor> parts;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const auto& reference = own_context<Reference>(*input.contexts[static_cast<size_t>(b)], "anovl");
    const Scores one = score_one(towers, input.image.slice(0, b, b + 1), reference, trace);
    parts.push_back(one.parts[0]);
    maps.push_back(one.map);
  }
  return {{at::cat(parts, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
}

void Anovl::trace_context(const Towers& towers, const Material& material, const at::Tensor& /*guidance*/,
                          Trace& trace) const {
  const auto features = sentence_features(towers, material);
  for (const auto& [group, rows] : features) trace.record("sentences." + group, rows);
  trace.record("text_features", sentences_of(features, options_).pair);
}

}  // namespace anovl

std::shared_ptr<const Method> make_anovl(const Settings& settings) {
  return std::make_shared<anovl::Anovl>(settings);
}

}  // namespace crane::methods
