// Crane (E-Attn) and Crane+ (E-Attn and D-Attn): zero-shot anomaly scores from a two-stream vision tower.
#pragma once

#include "methods/crane/options.h"
#include "methods/method.h"

namespace crane::methods {

class Crane final : public Method {
 public:
  explicit Crane(CraneOptions options) : options_(std::move(options)) {}
  Scores score(const Towers& towers, const MethodInput& input, Trace* trace) const override;

 private:
  CraneOptions options_;
};

}  // namespace crane::methods
