#include "methods/adaclip/prompted.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <random>

#include "core/error.h"
#include "methods/adaclip/k_means.h"
#include "methods/levels.h"
#include "methods/maps.h"

namespace crane::methods::adaclip {
namespace {

constexpr double k_cluster_share = 0.2;  // of the clusters' feature in the picture's

vision::StageNames stage_names() {
  vision::StageNames names;
  names.plain = "vis.block#";
  return names;
}

// One row a generator, [M, width]. In double: the sums are rounded to half right after, and a value that an
// error carries over the boundary moves a thousand times as far.
at::Tensor generated(const std::vector<layers::Linear>& generators, const at::Tensor& plain_cls) {
  std::vector<at::Tensor> rows;
  rows.reserve(generators.size());
  const at::Tensor input = plain_cls.to(at::kDouble);
  for (const layers::Linear& generator : generators) {
    rows.push_back(at::linear(input, generator.weight.to(at::kDouble), generator.bias.to(at::kDouble)));
  }
  return at::cat(rows, /*dim=*/0).to(at::kFloat);
}

at::Tensor rounded(const at::Tensor& x, bool half) { return half ? x.to(at::kHalf).to(at::kFloat) : x; }

template <typename AnyBlock>
Prompted run(const Towers& towers, std::span<const AnyBlock> blocks, const Frozen& frozen,
             const SentencePair& sentences, const Trainable& trainable, const Options& options,
             Trace* trace) {
  const vision::Tower& tower = *towers.vision;
  const at::Tensor visual = generated(trainable.visual_generators, frozen.plain_cls);
  const at::Tensor textual = generated(trainable.text_generators, frozen.plain_cls);

  vision::Taps taps;
  taps.levels = options.features;
  for (const at::Tensor& prompt : trainable.visual_prompts) {
    taps.appended.push_back(rounded(visual + prompt, options.compat.half_deep_tokens));
  }
  const vision::Tapped tapped = vision::run_blocks(blocks, frozen.tokens.clone(), taps, trace, stage_names());
  const int64_t rows = frozen.tokens.size(1);
  std::vector<at::Tensor> patches;
  for (size_t i = 0; i < options.features.size(); ++i) {
    const at::Tensor tokens = tapped.levels.at(options.features[i])[0].slice(0, 1, rows);
    patches.push_back(layers::unit_rows(trainable.patch_heads[i](tokens)));
  }
  const at::Tensor cls = tower.project(tapped.plain.select(1, 0));

  // The first set of text prompts has no place: the first block is left alone.
  std::vector<at::Tensor> deep;
  for (size_t b = 1; b < trainable.text_prompts.size(); ++b) {
    deep.push_back(textual + trainable.text_prompts[b]);
  }
  std::vector<std::vector<int64_t>> all = sentences.normal;
  all.insert(all.end(), sentences.anomalous.begin(), sentences.anomalous.end());
  const at::Tensor features = towers.text->get().encode_sentences(all, deep, options.compat.half_deep_tokens);
  const auto normal = static_cast<int64_t>(sentences.normal.size());

  Prompted result;
  result.patches = at::stack(patches, /*dim=*/0);
  result.cls = layers::unit_rows(trainable.class_head(cls));
  result.text = at::stack({text::mean_vector(features.slice(0, 0, normal), text::Mean::unit),
                           text::mean_vector(features.slice(0, normal), text::Mean::unit)});
  if (trace != nullptr) {
    trace->record("dyn_visual", visual.unsqueeze(0));
    trace->record("dyn_text", textual.unsqueeze(0));
    trace->record("cls", cls);
    trace->record("cls_proj", result.cls);
    trace->record("patch_proj", result.patches.unsqueeze(0));
    trace->record("text_features", result.text.unsqueeze(0));
  }
  return result;
}

void check_heads(const Options& options, int64_t blocks, const Trainable& trainable) {
  methods::check_levels(options.features, blocks);
  CRANE_CHECK_INVARIANT(trainable.patch_heads.size() == options.features.size(), trainable.patch_heads.size(),
                        " heads for ", options.features.size(), " levels");
}

// The label of each of the patches, which lie in descending order of their probability; patches [L, k, D].
std::vector<int64_t> clustered(const at::Tensor& patches, const Options& options) {
  const int64_t count = patches.size(1);
  if (!options.compat.cluster_labels.empty()) {
    const auto& given = options.compat.cluster_labels;
    const bool are_labels = std::all_of(
        given.begin(), given.end(), [&](int64_t label) { return label >= 0 && label < options.clusters; });
    check_input(static_cast<int64_t>(given.size()) == count && are_labels, "E_MODEL_CONFIG",
                "compat.clusterLabels lists ", given.size(), " labels; ", count, " patches are put into ",
                options.clusters, " clusters, counted from 0");
    return given;
  }
  const at::NoGradGuard guard;
  const at::Tensor rows =
      patches.detach().transpose(0, 1).reshape({count, -1}).to(at::kCPU, at::kDouble);  // [k, L * D]
  const at::Tensor products = at::matmul(rows, rows.t()).contiguous();
  const uint64_t seed =
      options.compat.unseeded_k_means ? std::random_device{}() : static_cast<uint64_t>(options.cluster_seed);
  return k_means({products.const_data_ptr<double>(), static_cast<size_t>(products.numel())}, options.clusters,
                 seed);
}

// The most anomalous patches, put into clusters that weigh equally whatever their size; one without patches
// weighs nothing. logits [L, N, 2] -> unit row [1, D].
at::Tensor cluster_feature(const at::Tensor& patches, const at::Tensor& logits, const Options& options,
                           Trace* trace) {
  const int64_t count = std::min(patches.size(1), options.clusters * options.cluster_patches);
  const at::Tensor p = at::softmax(logits.detach().mean(/*dim=*/0), /*dim=*/-1).select(-1, 1);  // [N]
  const at::Tensor order = std::get<1>(p.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
  const at::Tensor top = order.slice(0, 0, count);
  const at::Tensor chosen = patches.index_select(1, top);  // [L, k, D]
  const std::vector<int64_t> labels = clustered(chosen, options);

  std::vector<double> sizes(static_cast<size_t>(options.clusters));
  for (const int64_t label : labels) sizes[static_cast<size_t>(label)] += 1;
  const auto clusters =
      static_cast<double>(std::count_if(sizes.begin(), sizes.end(), [](double size) { return size > 0; }));
  std::vector<float> weights;
  weights.reserve(labels.size());
  for (const int64_t label : labels) {
    weights.push_back(static_cast<float>(1 / (clusters * sizes[static_cast<size_t>(label)])));
  }
  const at::Tensor weight = at::tensor(weights).to(patches.device()).view({1, -1});
  // A cluster's mean runs over its rows of all levels.
  const at::Tensor feature = layers::unit_rows(at::matmul(weight, chosen.mean(/*dim=*/0)));
  if (trace != nullptr) {
    trace->record("hsf_topk", top.to(at::kFloat).unsqueeze(0));
    std::vector<float> shown(labels.begin(), labels.end());
    trace->record("hsf_labels", at::tensor(shown).unsqueeze(0));
    trace->record("hsf_feature", feature);
  }
  return feature;
}

}  // namespace

Frozen frozen_features(const vision::Tower& tower, const at::Tensor& image, Trace* trace) {
  CRANE_CHECK_INVARIANT(tower.registers() == 0, tower.registers(), " registers in the vision tower");
  Frozen frozen;
  frozen.tokens = tower.embed(image);
  const vision::Tapped plain =
      vision::run_blocks(std::span(tower.blocks()), frozen.tokens.clone(), vision::Taps{});
  frozen.plain_cls = tower.project(plain.plain.select(1, 0));
  if (trace != nullptr) {
    trace->record("vis.positions", tower.positions_for(tower.grid_of(image)).unsqueeze(0));
    trace->record("plain_cls", frozen.plain_cls);
  }
  return frozen;
}

Prompted prompted_features(const Towers& towers, std::span<const layers::FrozenBlock> blocks,
                           const Frozen& frozen, const SentencePair& sentences, const Trainable& trainable,
                           const Options& options, Trace* trace) {
  check_heads(options, static_cast<int64_t>(blocks.size()), trainable);
  return run(towers, blocks, frozen, sentences, trainable, options, trace);
}

Prompted prompted_features(const Towers& towers, std::span<const layers::Block> blocks, const Frozen& frozen,
                           const SentencePair& sentences, const Trainable& trainable, const Options& options,
                           Trace* trace) {
  check_heads(options, static_cast<int64_t>(blocks.size()), trainable);
  return run(towers, blocks, frozen, sentences, trainable, options, trace);
}

Judged judge(const Prompted& prompted, const Options& options, Trace* trace) {
  Judged judged;
  judged.logits = text_logits(prompted.patches, prompted.text, options.temperature);
  at::Tensor feature = prompted.cls;
  if (options.fusion) {
    const at::Tensor clusters = cluster_feature(prompted.patches, judged.logits, options, trace);
    feature = layers::unit_rows(k_cluster_share * clusters + (1 - k_cluster_share) * prompted.cls);
  }
  judged.score =
      at::softmax(text_logits(feature, prompted.text, options.temperature), /*dim=*/-1).select(-1, 1);
  if (trace != nullptr) trace->record("logits", judged.logits.unsqueeze(0));
  return judged;
}

Sizes sizes_of(const Towers& towers, const Options& options) {
  const weights::TextStructure& text = towers.text->structure();
  return {static_cast<int64_t>(options.features.size()),
          towers.vision->width(),
          text.width,
          towers.vision->joint_width(),
          towers.vision->layers(),
          text.layers};
}

}  // namespace crane::methods::adaclip
