// Choices the attention kernels offer, free of tensor headers so that every room can name them.
#pragma once

namespace crane::attention {

// Which of a block's projections correlate with themselves.
struct SelfSet {
  bool q = true;
  bool k = true;
  bool v = true;
  // One softmax over [q; k; v] side by side instead of one softmax each; the scale gains 3^-0.5.
  bool joined = false;

  bool operator==(const SelfSet&) const = default;
};

// What a row of the affinity does when every cosine is masked (mean cosine above 1/beta: uniform pictures).
enum class EmptyRows { keep_self, nan };

}  // namespace crane::attention
