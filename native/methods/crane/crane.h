// Crane (E-Attn) and Crane+ (E-Attn and D-Attn): zero-shot anomaly scores from a two-stream vision tower.
#pragma once

#include "methods/crane/options.h"
#include "methods/method.h"

namespace crane::methods {

// A prompt set with its two unguided vectors, encoded once.
struct EncodedPrompts final : Context {
  text::PromptSet prompts;
  at::Tensor features;  // [2, D] unit rows: normal, anomalous

  at::Tensor text_vectors() const override { return features; }
};

class Crane final : public Method {
 public:
  explicit Crane(const Settings& settings);

  const Facts& facts() const override { return facts_; }
  std::shared_ptr<const Context> prepare(const Towers& towers, const Material& material,
                                         std::span<const at::Tensor> normals) const override;
  // part "fused": from the global feature, with the patches' fused in where `fusion` is on
  Scores score(const Towers& towers, const Input& input, Trace* trace) const override;
  std::optional<FeatureShape> feature_shape(const Towers& towers) const override;
  std::vector<NamedTensors> features(const Towers& towers, const at::Tensor& image) const override;
  // What score() gives of one picture of the model's input, from what features() gave of it: to the bit.
  Scores score_kept(const Towers& towers, const NamedTensors& features, const Context& context) const;
  std::unique_ptr<Learner> learner(const Towers& towers, const LearnerStart& start,
                                   const Settings& settings) const override;
  void trace_context(const Towers& towers, const Material& material, const at::Tensor& guidance,
                     Trace& trace) const override;

 private:
  CraneOptions options_;
  Facts facts_;
};

std::shared_ptr<const Method> make_crane(const Settings& settings);

}  // namespace crane::methods
