// The one loop over a tower's blocks, with taps: what a method reads off the tower on the way, and what it
// puts in. Every tower and every method is a configuration of it (method.md 3).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attention/kinds.h"
#include "layers/frozen_block.h"
#include "tensors/trace.h"

namespace crane::vision {

// A stream e beside the plain one that gathers the self-correlation of each block and never passes an MLP:
//   e = e + W_o a_self + b_o   ((3.4); b_o once, whatever the number of softmaxes; LN1 is the plain stream's)
struct SecondStream {
  attention::SelfSet set;
  int64_t first = 1;            // block from which on it gathers; it starts as that block's input
  std::vector<int64_t> levels;  // blocks, from `first` on, after which it is wanted
};

// How much of the plain stream is wanted after the last block.
enum class PlainEnd {
  all,
  cls,   // row 0: the other rows of the last block are not computed where nothing else reads them
  none,  // blocks after the last tap do not run
};

// Blocks are counted from 1. Rows of a sequence: the tower's tokens, then what was appended.
struct Taps {
  PlainEnd end = PlainEnd::cls;
  std::vector<int64_t> levels;  // blocks after which the plain stream is wanted
  std::optional<SecondStream> second;
  // Blocks whose values V are wanted: of LN1 of the plain stream after this block's attention.
  std::vector<int64_t> values;
  // In the block where the second stream begins V is read off that stream after its update instead.
  bool first_values_of_second = false;
  // [M, width] or [B, M, width] each: [0] stands behind the tokens from the first block on, [i] replaces it
  // before block i + 1; the last one stays. Not together with a second stream.
  std::vector<at::Tensor> appended;
};

// All [B, rows, width].
struct Tapped {
  at::Tensor plain;   // after the last block; [B, 1, width] for PlainEnd::cls, undefined for PlainEnd::none
  at::Tensor second;  // after the last block
  std::map<int64_t, at::Tensor> levels;
  std::map<int64_t, at::Tensor> second_levels;
  std::map<int64_t, at::Tensor> values;
};

// What a trace calls the stages; "#" stands for the block's number in two digits. Nothing is recorded under
// an empty name.
struct StageNames {
  std::string tokens;  // what comes before the first block
  std::string plain;
  std::string plain_beside_second;
  std::string second;
  std::string values_input;  // LN1 of what V is read off
  std::string positions;     // the table at the picture's grid, [1, 1 + N, width]
};

// tokens [B, rows, width], row 0 the class token; changed in place and not to be used afterwards. With a
// trace every block runs whole.
Tapped run_blocks(std::span<const layers::FrozenBlock> blocks, const at::Tensor& tokens, const Taps& taps,
                  Trace* trace = nullptr, const StageNames& names = {});

// The same in plain libtorch, nothing in place: gradients reach tokens and appended rows.
Tapped run_blocks(std::span<const layers::Block> blocks, const at::Tensor& tokens, const Taps& taps,
                  Trace* trace = nullptr, const StageNames& names = {});

}  // namespace crane::vision
