// Prompts of a synthetic model that bring start and end rows of their own, as the authors' files do.
#pragma once

#include "../engine/synthetic_model.h"
#include "text/tower.h"

namespace crane::text {

// Prompts that bring the tower's own rows, so that nothing changes until a test changes them.
struct WithOwnRows {
  explicit WithOwnRows(const SyntheticModel& model)
      : tower(TextTower::load(weights::canonicalise({weights::open_weights(model.config.weights[0])}),
                              TextConfig{}, at::kCPU)),
        prompts(load_prompts(model.material.files.at("prompts"),
                             {model.material.texts.at("normal")[0], model.material.texts.at("anomalous")[0]},
                             tower.width(), at::kCPU)) {
    const int64_t n = prompts.context_rows();
    for (int c = 0; c < k_pair; ++c) {
      const auto rows = static_cast<int64_t>(prompts.ids[c].size());
      prompts.stored_start[c] = tower.embedded_tokens(prompts, c, 0, 1);
      prompts.stored_suffix[c] = tower.embedded_tokens(prompts, c, 1 + n, rows - 1 - n);
    }
  }

  at::Tensor encoded() const { return tower.encode(prompts, {}, {}, nullptr).unit; }

  TextTower tower;
  PromptSet prompts;
};

}  // namespace crane::text
