#include "vision/block_loop.h"

#include <algorithm>
#include <type_traits>

#include "attention/plain.h"
#include "attention/self_correlation.h"
#include "core/cancel.h"
#include "core/error.h"

namespace crane::vision {
namespace {

using layers::Block;
using layers::FrozenBlock;

// The two faces of a block under the same names. A frozen one changes the stream and gives it back, a plain
// one gives a new tensor.
layers::Projections project(const FrozenBlock& block, const at::Tensor& x) { return block.project(x); }
layers::Projections project(const Block& block, const at::Tensor& x) { return block.project(block.ln1(x)); }

at::Tensor values(const FrozenBlock& block, const at::Tensor& x) { return block.values(x); }
at::Tensor values(const Block& block, const at::Tensor& x) { return block.project_values(block.ln1(x)); }

at::Tensor normed(const FrozenBlock& block, const at::Tensor& x) { return block.ln1()(x); }
at::Tensor normed(const Block& block, const at::Tensor& x) { return block.ln1(x); }

Precision precision(const FrozenBlock& block) { return block.precision(); }
Precision precision(const Block&) { return Precision::float32; }

at::Tensor with_attended(const FrozenBlock& block, const at::Tensor& stream, const at::Tensor& attended) {
  block.add_attended(stream, attended);
  return stream;
}
at::Tensor with_attended(const Block& block, const at::Tensor& stream, const at::Tensor& attended) {
  return stream + block.attention_update(attended);
}

at::Tensor with_mlp(const FrozenBlock& block, const at::Tensor& stream) {
  block.add_mlp(stream);
  return stream;
}
at::Tensor with_mlp(const Block& block, const at::Tensor& stream) {
  return stream + block.mlp_update(stream);
}

bool contains(const std::vector<int64_t>& list, int64_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

int64_t last_of(const std::vector<int64_t>& list) {
  return list.empty() ? 0 : *std::max_element(list.begin(), list.end());
}

void record(Trace* trace, const std::string& name, int64_t number, const at::Tensor& value) {
  if (trace == nullptr || name.empty()) return;
  const size_t at = name.find('#');
  if (at == std::string::npos) return trace->record(name, value);
  trace->record(join_text(name.substr(0, at), number < 10 ? "0" : "", number, name.substr(at + 1)), value);
}

void check(const Taps& taps, int64_t count, int64_t rows) {
  const auto check_list = [&](const std::vector<int64_t>& list, int64_t from) {
    for (const int64_t block : list) {
      CRANE_CHECK_INVARIANT(block >= from && block <= count, "a tap at block ", block, " of ", count);
    }
  };
  check_list(taps.levels, 1);
  check_list(taps.values, 1);
  if (taps.second) {
    check_list({taps.second->first}, 1);
    check_list(taps.second->levels, taps.second->first);
  }
  CRANE_CHECK_INVARIANT(!taps.second || taps.appended.empty(), "appended rows beside a second stream");
  CRANE_CHECK_INVARIANT(static_cast<int64_t>(taps.appended.size()) <= count, taps.appended.size(),
                        " sets of appended rows for ", count, " blocks");
  CRANE_CHECK_INVARIANT(count > 0 && rows > 0, count, " blocks on ", rows, " rows");
}

// The streams while the blocks run.
struct Streams {
  at::Tensor plain;
  at::Tensor second;  // undefined until it begins
};

// Puts the rows of this block behind the `tokens` first rows.
at::Tensor with_appended(const at::Tensor& stream, int64_t tokens, const at::Tensor& rows) {
  const at::Tensor each = rows.dim() == 3 ? rows : rows.unsqueeze(0).expand({stream.size(0), -1, -1});
  return at::cat({stream.slice(1, 0, tokens), each}, /*dim=*/1);
}

// What of a block is read; the rest is not computed.
struct Wanted {
  bool second = false;
  bool values = false;
  bool values_of_second = false;
  bool plain = true;      // the plain stream goes on after this block, or is a level
  bool only_cls = false;  // of the plain stream nothing but row 0
};

// One block on both streams; gives V where it is wanted.
template <typename AnyBlock>
at::Tensor step(const AnyBlock& block, Streams& s, const Taps& taps, const Wanted& wanted, Trace* trace,
                const StageNames& names) {
  const layers::Projections x = project(block, s.plain);
  const double scale = block.attention_scale();
  if (wanted.second) {
    s.second =
        with_attended(block, s.second,
                      attention::self_correlation(x.q, x.k, x.v, taps.second->set, scale, precision(block)));
  }
  at::Tensor v;
  if (wanted.plain || (wanted.values && !wanted.values_of_second)) {
    const bool narrows = wanted.only_cls && !wanted.values;
    const at::Tensor queries = narrows ? x.q.slice(2, 0, 1) : x.q;
    if (narrows) s.plain = s.plain.slice(1, 0, 1);
    s.plain = with_attended(
        block, s.plain,
        attention::plain_attention(queries, x.k, x.v, scale, /*causal=*/false, precision(block)));
  }
  if (wanted.values) {
    const at::Tensor& read = wanted.values_of_second ? s.second : s.plain;
    if (trace != nullptr) record(trace, names.values_input, 0, normed(block, read));
    v = values(block, read);
    if (wanted.only_cls) s.plain = s.plain.slice(1, 0, 1);
  }
  if (wanted.plain) s.plain = with_mlp(block, s.plain);
  return v;
}

template <typename AnyBlock>
Tapped run(std::span<const AnyBlock> blocks, const at::Tensor& tokens, const Taps& taps, Trace* trace,
           const StageNames& names) {
  constexpr bool k_is_in_place = std::is_same_v<AnyBlock, FrozenBlock>;
  const auto all = static_cast<int64_t>(blocks.size());
  check(taps, all, tokens.size(1));
  // Without a taker at the end the last tap ends the pass.
  const bool goes_on = taps.end != PlainEnd::none || taps.second || trace != nullptr;
  const int64_t count = goes_on ? all : std::max(last_of(taps.levels), last_of(taps.values));
  Tapped result;
  Streams s{tokens, {}};
  for (int64_t number = 1; number <= count; ++number) {
    check_shutdown();
    const AnyBlock& block = blocks[number - 1];
    const bool is_last = number == count;
    const bool is_level = contains(taps.levels, number);
    if (number <= static_cast<int64_t>(taps.appended.size())) {
      s.plain = with_appended(s.plain, tokens.size(1), taps.appended[number - 1]);
    }
    if (taps.second && number == taps.second->first) s.second = k_is_in_place ? s.plain.clone() : s.plain;

    Wanted wanted;
    wanted.second = s.second.defined();
    wanted.values = contains(taps.values, number);
    wanted.values_of_second =
        wanted.values && taps.first_values_of_second && wanted.second && number == taps.second->first;
    const bool is_whole = !is_last || is_level || trace != nullptr || taps.end == PlainEnd::all;
    wanted.plain = is_whole || taps.end != PlainEnd::none;
    wanted.only_cls = !is_whole;
    const at::Tensor v = step(block, s, taps, wanted, trace, names);

    if (wanted.second) record(trace, names.second, number, s.second);
    record(trace, wanted.second ? names.plain_beside_second : names.plain, number, s.plain);
    // The next block would change what was kept.
    const auto kept = [&](const at::Tensor& stream) {
      return k_is_in_place && !is_last ? stream.clone() : stream;
    };
    if (wanted.values) result.values[number] = v;
    if (is_level) result.levels[number] = kept(s.plain);
    if (wanted.second && contains(taps.second->levels, number)) result.second_levels[number] = kept(s.second);
  }
  result.second = s.second;
  if (taps.end == PlainEnd::all) result.plain = s.plain;
  if (taps.end == PlainEnd::cls) result.plain = s.plain.slice(1, 0, 1);
  return result;
}

}  // namespace

Tapped run_blocks(std::span<const FrozenBlock> blocks, const at::Tensor& tokens, const Taps& taps,
                  Trace* trace, const StageNames& names) {
  return run(blocks, tokens, taps, trace, names);
}

Tapped run_blocks(std::span<const Block> blocks, const at::Tensor& tokens, const Taps& taps, Trace* trace,
                  const StageNames& names) {
  return run(blocks, tokens, taps, trace, names);
}

}  // namespace crane::vision
