#include "text/ensemble.h"

#include "layers/linear.h"
#include "text/kept_vectors.h"

namespace crane::text {

at::Tensor mean_vector(const at::Tensor& features, Mean mean) {
  // Probabilities multiply an error of this vector by their temperature's inverse, so hundreds of rows are
  // added up in double.
  const at::Tensor exact = features.to(at::kDouble);
  const at::Tensor rows = mean == Mean::unit ? layers::unit_rows(exact) : exact;
  return layers::unit_rows(rows.mean(/*dim=*/0)).to(features.scalar_type());
}

std::map<std::string, at::Tensor> encode_groups(const LazyTower& tower, const SentenceGroups& groups,
                                                const std::string& kept) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& [name, sentences] : groups) {
    shapes[name] = {static_cast<int64_t>(sentences.size()), tower.structure().joint_width};
  }
  std::map<std::string, at::Tensor> features;
  if (!kept.empty()) features = read_kept(kept, shapes);
  if (!features.empty()) {
    for (auto& [name, rows] : features) rows = rows.to(tower.device());
    return features;
  }
  for (const auto& [name, sentences] : groups) features[name] = tower.get().encode_sentences(sentences);
  if (!kept.empty()) keep(kept, features);
  return features;
}

}  // namespace crane::text
