#include "methods/sentence_pair.h"

#include "core/error.h"

namespace crane::methods {

SentencePair sentence_pair(const Texts& texts, std::string_view method) {
  const auto group = [&](const char* name) -> const std::vector<std::vector<int64_t>>& {
    const auto found = texts.find(name);
    if (found == texts.end() || found->second.empty()) {
      throw Error("E_PROMPTS",
                  join_text(method, " has no ", name, " sentence: its sentences name what the picture shows"),
                  "say what it is: --class-name bottle (className)");
    }
    return found->second;
  };
  return {group("normal"), group("anomalous")};
}

SentenceFeatures sentence_features(const text::LazyTower& tower, const Texts& texts, const std::string& kept,
                                   std::string_view method) {
  const SentencePair pair = sentence_pair(texts, method);
  const auto features =
      text::encode_groups(tower, {{"normal", pair.normal}, {"anomalous", pair.anomalous}}, kept);
  return {features.at("normal"), features.at("anomalous")};
}

at::Tensor ensemble_pair(const text::LazyTower& tower, const Texts& texts, text::Mean mean,
                         const std::string& kept, std::string_view method) {
  const SentenceFeatures features = sentence_features(tower, texts, kept, method);
  return at::stack({text::mean_vector(features.normal, mean), text::mean_vector(features.anomalous, mean)});
}

}  // namespace crane::methods
