#include "methods/normals/normals.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace crane::methods {
namespace {

constexpr const char* k_name = "normals";
constexpr int64_t k_none = -1;  // no picture of the bank is left out
// A copy takes a pass through the tower and its patches a place in the bank.
constexpr int64_t k_most_turns = 360;
constexpr int64_t k_most_neighbours = 1000;

normals::PatchTowers patch_towers(const Towers& towers) { return {*towers.vision, towers.source}; }

NormalsOptions parse(const Settings& settings) {
  NormalsOptions options;
  SettingsReader read(settings);
  read.word("bankTower", options.patches.is_source, {{"vision", false}, {"source", true}});
  read.integers("bankBlocks", options.patches.blocks);
  read.integer("turns", options.turns.count, 1, k_most_turns);
  read.flag("mirror", options.turns.is_mirrored);
  read.word("bankKind", options.is_subspace, {{"nearest", false}, {"subspace", true}});
  read.number("bankVariance", options.variance, 0, 1);
  read.word("bankPrecision", options.precision,
            {{"float32", at::kFloat}, {"float16", at::kHalf}, {"bfloat16", at::kBFloat16}});
  read.integer("bankSize", options.bank_size, 0);
  read.number("topShare", options.top_share, 0, 1);
  read.integer("neighbours", options.neighbours, 1, k_most_neighbours);
  read.flag("mutual", options.is_mutual);
  read.number("mutualShare", options.mutual_share, 0, 1);
  read.finish(k_name);
  check_input(options.variance > 0 && options.variance < 1, "E_MODEL_CONFIG", "bankVariance is ",
              options.variance, ", expected a number above 0 and below 1");
  if (options.patches.is_source) options.patches.blocks.clear();
  return options;
}

normals::Bank bank_of(const Towers& towers, const NormalsOptions& options,
                      std::span<const at::Tensor> pictures) {
  const normals::PatchTowers own = patch_towers(towers);
  normals::check_patch_source(own, options.patches);
  check_input(!pictures.empty(), "E_NORMALS", "a bank needs a normal picture");
  std::vector<at::Tensor> rows;
  std::vector<int64_t> starts{0};
  std::vector<at::Tensor> moments;
  std::vector<int64_t> counts;
  for (const at::Tensor& picture : pictures) {
    int64_t kept = 0;
    int64_t all = 0;
    at::Tensor sum;
    for (const at::Tensor& copy : normals::turned_copies(picture, options.turns)) {
      const at::Tensor of_copy = normals::patch_rows(own, options.patches, copy);
      all += of_copy.size(0);
      if (options.is_subspace) {
        const at::Tensor own_moments = normals::moments_of(of_copy);
        sum = sum.defined() ? sum + own_moments : own_moments;
      }
      if (options.is_subspace && kept > 0) continue;
      kept += of_copy.size(0);
      rows.push_back(of_copy);
    }
    starts.push_back(starts.back() + kept);
    if (options.is_subspace) moments.push_back(sum);
    counts.push_back(all);
  }
  const vision::Grid grid = normals::grid_of(own, options.patches, towers.height, towers.width);
  std::optional<normals::Spread> spread;
  if (options.is_subspace) spread.emplace(at::stack(moments), std::move(counts), options.variance);
  const normals::Bank bank(options.patches, grid, at::cat(rows, /*dim=*/0), std::move(starts), {},
                           std::move(spread));
  return bank.rounded_to(options.precision);
}

normals::Bank joined(const std::vector<std::shared_ptr<const Context>>& contexts) {
  std::vector<const normals::Bank*> banks;
  for (const auto& context : contexts) banks.push_back(&own_context<BankContext>(*context, k_name).bank);
  return normals::Bank::joined(banks);
}

}  // namespace

const normals::Subspace& BankContext::subspace() const {
  if (!subspace_) subspace_ = bank.subspace(k_none);
  return *subspace_;
}

Normals::Normals(const Settings& settings) : Method(k_name, settings), options_(parse(settings)) {
  facts_.parts = {"farthest"};
}

std::shared_ptr<const Method> make_normals(const Settings& settings) {
  return std::make_shared<Normals>(settings);
}

std::shared_ptr<const Context> Normals::prepare(const Towers& towers, const Material& material,
                                                std::span<const at::Tensor> normals) const {
  const auto make = [&] {
    if (const auto file = material.files.find("bank"); file != material.files.end()) {
      normals::Bank read = normals::Bank::read(file->second, towers.device);
      check_kind(read, file->second);
      return read;
    }
    const auto contexts = material.contexts.find("bank");
    normals::Bank bank =
        contexts != material.contexts.end() ? joined(contexts->second) : bank_of(towers, options_, normals);
    return options_.bank_size > 0 ? bank.with_chosen(options_.bank_size) : bank;
  };
  auto context = std::make_shared<BankContext>(make());
  context->bank.check_fits(patch_towers(towers), towers.height, towers.width);
  if (const auto asked = material.contexts.find("pictures"); asked != material.contexts.end()) {
    context->asked = joined(asked->second);
    context->bank.check_comparable(*context->asked);
  }
  return context;
}

// Whoever asks for a kind has read of it: a file that says one thing and holds another is damaged.
void Normals::check_kind(const normals::Bank& bank, const std::string& path) const {
  const auto is_told = [&](const char* name) { return settings().contains(name); };
  const bool is_as_told =
      (!is_told("bankKind") || bank.spread().has_value() == options_.is_subspace) &&
      (!is_told("bankVariance") || !bank.spread() || bank.spread()->variance == options_.variance) &&
      (!is_told("bankSize") || bank.chosen().has_value() == (options_.bank_size > 0)) &&
      (!is_told("bankPrecision") || bank.precision() == options_.precision);
  check_input(is_as_told, "E_NORMALS", path,
              ": damaged: it says to hold a bank of another kind than it does");
}

// A bank's own pictures have one fewer to be compared with, and the same number of neighbours: so what holds
// for the scores of exchangeable pictures holds for theirs (methods/normals.md 3).
at::Tensor Normals::cosines_of(const at::Tensor& rows, const normals::Bank& bank, int64_t without) const {
  const int64_t others = bank.pictures() - 1;
  if (bank.chosen()) {
    // What one picture's rows stand for may be chosen of another: the nearest row alone says how far one is.
    return normals::nearest_cosines(rows, bank.searched(),
                                    without < 0 ? normals::LeftOut{} : bank.searched_of(without));
  }
  if (options_.is_mutual) {
    check_input(others >= 1, "E_NORMALS", "pictures are compared with each other, and there is one");
    const auto nearest = std::llround(options_.mutual_share * static_cast<double>(others));
    // Its own copy in the bank is the nearest of each of its patches.
    return normals::cosines_of_nearest_pictures(rows, bank.rows(), bank.starts(), without,
                                                std::max<int64_t>(1, nearest), /*skip=*/without < 0 ? 1 : 0);
  }
  const int64_t neighbours = std::max<int64_t>(1, std::min(options_.neighbours, others));
  if (neighbours == 1) {
    return normals::nearest_cosines(rows, bank.rows(),
                                    without < 0 ? normals::LeftOut{} : bank.of_picture(without));
  }
  return normals::cosines_of_nearest_pictures(rows, bank.rows(), bank.starts(), without, neighbours);
}

at::Tensor Normals::distances_of(const at::Tensor& rows, const BankContext& context, int64_t without) const {
  const normals::Bank& bank = context.bank;
  check_input(!options_.is_mutual || !(bank.spread() || bank.chosen()), "E_NORMALS",
              "pictures are compared with each other patch by patch: it takes a bank of all patches");
  if (!bank.spread()) return normals::distances(cosines_of(bank.comparable(rows), bank, without));
  if (without < 0) return normals::residuals(rows, context.subspace());
  if (bank.pictures() == 1) return at::ones({rows.size(0)}, rows.options());
  return normals::residuals(rows, bank.subspace(without));
}

Scores Normals::scores_of(const Towers& towers, const at::Tensor& rows, const BankContext& context,
                          int64_t without, Trace* trace) const {
  const at::Tensor far = distances_of(rows, context, without);
  if (trace) {
    trace->record("rows", rows.unsqueeze(0));
    trace->record("distances", far.unsqueeze(0));
  }
  const vision::Grid grid = context.bank.grid();
  return {{normals::top_mean(far, options_.top_share)},
          at::upsample_bilinear2d(far.view({1, 1, grid.height, grid.width}), {towers.height, towers.width},
                                  /*align_corners=*/false)[0]};
}

// Picture by picture on every device: what shares a call must not decide a bit, and a search fills a GPU.
Scores Normals::score(const Towers& towers, const Input& input, Trace* trace) const {
  std::vector<at::Tensor> far;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const auto& context = own_context<BankContext>(*input.contexts[static_cast<size_t>(b)], k_name);
    context.bank.check_fits(patch_towers(towers), input.image.size(2), input.image.size(3));
    const at::Tensor rows =
        normals::patch_rows(patch_towers(towers), context.bank.what(), input.image.slice(0, b, b + 1));
    const Scores one = scores_of(towers, rows, context, k_none, trace);
    far.push_back(one.parts.front());
    maps.push_back(one.map);
  }
  return {{at::cat(far, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
}

Scores Normals::score_own(const Towers& towers, const Context& context, int64_t picture) const {
  const auto& own = own_context<BankContext>(context, k_name);
  CRANE_CHECK_INVARIANT(picture >= 0 && picture < own.own_pictures(), "picture ", picture, " of ",
                        own.own_pictures());
  if (own.asked) return scores_of(towers, own.asked->upright(picture), own, k_none, nullptr);
  return scores_of(towers, own.bank.upright(picture), own, picture, nullptr);
}

}  // namespace crane::methods
