#include "weights/checker.h"

#include <charconv>
#include <set>

namespace crane::weights {

int64_t count_numbered(const CanonicalWeights& weights, const std::string& prefix) {
  std::set<int64_t> numbers;
  for (auto row = weights.tensors.lower_bound(prefix); row != weights.tensors.end(); ++row) {
    if (!row->first.starts_with(prefix)) break;
    int64_t number = -1;
    std::from_chars(row->first.data() + prefix.size(), row->first.data() + row->first.size(), number);
    numbers.insert(number);
  }
  return static_cast<int64_t>(numbers.size());
}

std::string as_in(const CanonicalTensor& tensor) {
  return join_text("(", quote_name(tensor.stored_name()), " is ", shape_text(tensor.shape), ")");
}

bool has_any(const CanonicalWeights& weights, const std::string& prefix) {
  const auto row = weights.tensors.lower_bound(prefix);
  return row != weights.tensors.end() && row->first.starts_with(prefix);
}

}  // namespace crane::weights
