#include "methods/adaclip/adaclip.h"

#include "core/error.h"
#include "methods/adaclip/learner.h"
#include "methods/adaclip/prompted.h"
#include "methods/levels.h"
#include "methods/maps.h"

namespace crane::methods {
namespace {

// The sentences wait: what they become depends on the picture.
struct ClassContext final : Context {
  Texts texts;
  adaclip::Trainable trainable;

  ClassContext(const Texts& sentences, const train::Parameters& learned)
      : texts(sentences), trainable(learned) {}
};

std::string heads_file(const Material& material) {
  const auto file = material.files.find("heads");
  check_input(file != material.files.end(), "E_PROMPTS", adaclip::k_name,
              " needs a file of learned prompts and heads");
  return file->second;
}

}  // namespace

AdaClip::AdaClip(const Settings& settings)
    : Method(adaclip::k_name, settings), options_(adaclip::parse(settings)) {
  facts_.parts = {"fused"};
}

std::shared_ptr<const Method> make_adaclip(const Settings& settings) {
  return std::make_shared<AdaClip>(settings);
}

std::shared_ptr<const Context> AdaClip::prepare(const Towers& towers, const Material& material,
                                                std::span<const at::Tensor> /*normals*/) const {
  sentence_pair(material.texts, name());
  return std::make_shared<ClassContext>(
      material.texts,
      adaclip::load(heads_file(material), adaclip::sizes_of(towers, options_), towers.device));
}

// Pictures run one by one: no bit of a score depends on what shares the call.
Scores AdaClip::score(const Towers& towers, const Input& input, Trace* trace) const {
  const vision::Tower& tower = *towers.vision;
  std::vector<at::Tensor> fused;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const auto& context = own_context<ClassContext>(*input.contexts[static_cast<size_t>(b)], name());
    const at::Tensor image = input.image.slice(0, b, b + 1);
    const adaclip::Frozen frozen = adaclip::frozen_features(tower, image, trace);
    const adaclip::Prompted prompted =
        adaclip::prompted_features(towers, std::span(tower.blocks()), frozen,
                                   sentence_pair(context.texts, name()), context.trainable, options_, trace);
    const adaclip::Judged judged = adaclip::judge(prompted, options_, trace);
    // The mean of the upsampled logits is the upsampled mean, and the softmax of two channels the sigmoid of
    // their difference.
    const at::Tensor mean = judged.logits.mean(/*dim=*/0);
    const at::Tensor difference = (mean.select(-1, 1) - mean.select(-1, 0)).view({1, -1, 1});
    fused.push_back(judged.score);
    maps.push_back(at::sigmoid(upsampled(difference, tower.grid_of(image), image.size(2), image.size(3),
                                         /*align_corners=*/true))
                       .select(1, 0));
  }
  const Scores scores{{at::cat(fused, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
  if (trace != nullptr) {
    trace->record("score", scores.parts[0]);
    trace->record("map", scores.map);
  }
  return scores;
}

std::optional<FeatureShape> AdaClip::feature_shape(const Towers& towers) const {
  const vision::Tower& tower = *towers.vision;
  check_levels(options_.features, tower.layers());
  const int64_t rows = 1 + tower.grid_for(towers.height, towers.width).count();
  return FeatureShape{{{"plain_cls", {tower.joint_width()}}, {"tokens", {rows, tower.width()}}},
                      {towers.height, towers.width}};
}

std::vector<NamedTensors> AdaClip::features(const Towers& towers, const at::Tensor& image) const {
  std::vector<NamedTensors> pictures;
  for (int64_t b = 0; b < image.size(0); ++b) {
    const adaclip::Frozen own = adaclip::frozen_features(*towers.vision, image.slice(0, b, b + 1), nullptr);
    pictures.push_back({{"plain_cls", own.plain_cls[0]}, {"tokens", own.tokens[0]}});
  }
  return pictures;
}

std::unique_ptr<Learner> AdaClip::learner(const Towers& towers, const LearnerStart& start,
                                          const Settings& settings) const {
  return std::make_unique<adaclip::PromptLearner>(towers, start, options_, adaclip::parse_training(settings));
}

void AdaClip::trace_context(const Towers& towers, const Material& material, const at::Tensor& /*guidance*/,
                            Trace& trace) const {
  const SentencePair pair = sentence_pair(material.texts, name());
  trace.record("features_raw", towers.text->get().encode_sentences(pair.normal));
  trace.record("features_raw", towers.text->get().encode_sentences(pair.anomalous));
}

}  // namespace crane::methods
