#include "methods/learned_prompts.h"

#include "core/error.h"

namespace crane::methods {

std::array<std::vector<int64_t>, text::k_pair> pair_of_texts(const Material& material,
                                                             std::string_view method) {
  std::array<std::vector<int64_t>, text::k_pair> ids;
  const std::array<const char*, text::k_pair> groups{"normal", "anomalous"};
  for (int c = 0; c < text::k_pair; ++c) {
    const auto group = material.texts.find(groups[c]);
    const size_t sentences = group == material.texts.end() ? 0 : group->second.size();
    check_input(sentences == 1, "E_PROMPTS", method, " compares with one ", groups[c], " text, got ",
                sentences);
    ids[c] = group->second.front();
  }
  return ids;
}

text::PromptSet load_prompt_pair(const Towers& towers, const Material& material, std::string_view method,
                                 bool stored_tokens) {
  const auto file = material.files.find("prompts");
  check_input(file != material.files.end(), "E_PROMPTS", method, " needs a file of learned prompts");
  text::PromptSet prompts = text::load_prompts(file->second, pair_of_texts(material, method),
                                               towers.text->structure().width, towers.device);
  prompts.prefers_stored = stored_tokens;
  return prompts;
}

train::SavedPrompts start_prompts(const Towers& towers, const LearnerStart& start, const PromptSizes& sizes,
                                  std::string_view method, bool stored_tokens) {
  const text::TextTower& tower = towers.text->get();
  switch (start.kind) {
    case LearnerStart::Kind::checkpoint:
      return {load_prompt_pair(towers, start.material, method, stored_tokens), {}, 0};
    case LearnerStart::Kind::saved: {
      train::SavedPrompts saved = train::load_prompt_training(start.saved_path, tower.width(), towers.device);
      text::check_placeholders(saved.prompts, start.saved_path, "E_TRAIN_RESUME");
      saved.prompts.prefers_stored = stored_tokens;
      return saved;
    }
    case LearnerStart::Kind::fresh:
      break;
  }
  check_input(sizes.context_rows > 0 && sizes.context_rows < tower.context_length() &&
                  sizes.deep_blocks >= 0 && sizes.deep_blocks < tower.layer_count() &&
                  sizes.deep_tokens > 0 && sizes.deep_tokens <= sizes.context_rows,
              "E_PROMPTS", sizes.context_rows, " context rows and ", sizes.deep_tokens, " deep tokens in ",
              sizes.deep_blocks, " blocks do not fit a text tower of ", tower.layer_count(), " blocks and ",
              tower.context_length(), " positions (deep tokens lie within the context rows)");
  const train::FreshPrompts fresh{start.seed, sizes.context_rows, sizes.deep_blocks, sizes.deep_tokens,
                                  pair_of_texts(start.material, method)};
  text::PromptSet drawn = train::fresh_prompts(fresh, tower.width(), towers.device);
  text::check_placeholders(drawn, join_text("new prompts of ", method), "E_PROMPTS");
  return {std::move(drawn), {}, 0};
}

}  // namespace crane::methods
