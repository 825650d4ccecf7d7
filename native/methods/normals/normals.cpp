#include "methods/normals/normals.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "normals/foreground.h"

namespace crane::methods {
namespace {

constexpr const char* k_name = "normals";
constexpr int64_t k_none = -1;  // no picture of the bank is left out
// A copy takes a pass through the tower and its patches a place in the bank.
constexpr int64_t k_most_turns = 360;
constexpr int64_t k_most_neighbours = 1000;
constexpr int64_t k_most_side = 99;
// Names of the files of pictures that are compared with each other.
constexpr std::string_view k_of_set = "picture.";

normals::PatchTowers patch_towers(const Towers& towers) { return {*towers.vision, towers.source}; }

void check_neighbourhoods(const std::vector<int64_t>& sides) {
  const bool are_odd = std::ranges::all_of(
      sides, [](int64_t side) { return side >= 1 && side <= k_most_side && side % 2 == 1; });
  check_input(!sides.empty() && are_odd, "E_MODEL_CONFIG",
              "mutualNeighbourhoods: expected odd numbers of cells from 1 to ", k_most_side);
}

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
  read.flag("bankForeground", options.is_foreground);
  read.number("topShare", options.top_share, 0, 1);
  read.integer("neighbours", options.neighbours, 1, k_most_neighbours);
  read.flag("mutual", options.is_mutual);
  read.number("mutualShare", options.mutual.share, 0, 1);
  read.integers("mutualNeighbourhoods", options.mutual.neighbourhoods);
  check_neighbourhoods(options.mutual.neighbourhoods);
  read.finish(k_name);
  check_input(options.variance > 0 && options.variance < 1, "E_MODEL_CONFIG", "bankVariance is ",
              options.variance, ", expected a number above 0 and below 1");
  if (options.patches.is_source) options.patches.blocks.clear();
  return options;
}

// Of a copy of a picture, as it will be compared.
normals::Foreground foreground_of(const at::Tensor& rows, const NormalsOptions& options, vision::Grid grid) {
  if (!options.is_foreground) return {};
  return normals::foreground_of(rows.to(options.precision).to(at::kFloat), grid);
}

at::Tensor kept_rows(const at::Tensor& rows, const normals::Foreground& foreground) {
  if (foreground.left_out == 0) return rows;
  return rows.index_select(0, foreground.kept.nonzero().flatten().to(rows.device()));
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
  normals::Chosen foreground{at::Tensor(), {0}, /*is_coreset=*/false};
  std::vector<at::Tensor> of_foreground;
  normals::Background background;
  const vision::Grid grid = normals::grid_of(own, options.patches, towers.height, towers.width);
  // Of such banks only the upright copy stays whole, for the picture's own score.
  const bool has_upright_alone = options.is_subspace || options.is_foreground;
  for (const at::Tensor& picture : pictures) {
    int64_t kept = 0;
    int64_t of_thing = 0;
    int64_t left_out = 0;
    at::Tensor sum;
    for (const at::Tensor& copy : normals::turned_copies(picture, options.turns)) {
      const at::Tensor of_copy = normals::patch_rows(own, options.patches, copy);
      const normals::Foreground shown = foreground_of(of_copy, options, grid);
      const at::Tensor compared = kept_rows(of_copy, shown);
      of_thing += compared.size(0);
      left_out += shown.left_out;
      if (options.is_subspace) {
        const at::Tensor own_moments = normals::moments_of(compared);
        sum = sum.defined() ? sum + own_moments : own_moments;
      } else if (options.is_foreground) {
        of_foreground.push_back(compared);
      }
      if (has_upright_alone && kept > 0) continue;
      kept += of_copy.size(0);
      rows.push_back(of_copy);
    }
    starts.push_back(starts.back() + kept);
    if (options.is_subspace) moments.push_back(sum);
    counts.push_back(of_thing);
    foreground.starts.push_back(foreground.starts.back() + of_thing);
    background.left_out.push_back(left_out);
    background.patches.push_back(of_thing + left_out);
  }
  std::optional<normals::Spread> spread;
  if (options.is_subspace) spread = normals::Spread{at::stack(moments), std::move(counts), options.variance};
  normals::Bank bank(options.patches, grid, at::cat(rows, /*dim=*/0), std::move(starts), {},
                     std::move(spread));
  if (options.is_foreground) {
    std::optional<normals::Chosen> shown;
    if (!options.is_subspace) {
      foreground.rows = at::cat(of_foreground, /*dim=*/0);
      shown = std::move(foreground);
    }
    bank = bank.of_foreground(std::move(shown), std::move(background));
  }
  return bank.rounded_to(options.precision);
}

normals::Bank joined(const std::vector<std::shared_ptr<const Context>>& contexts) {
  std::vector<const normals::Bank*> banks;
  banks.reserve(contexts.size());
  for (const auto& context : contexts) banks.push_back(&own_context<BankContext>(*context, k_name).bank);
  return normals::Bank::joined(banks);
}

std::shared_ptr<const Context> mutual_context(const Towers& towers, const Material& material) {
  auto context = std::make_shared<MutualContext>();
  if (const auto set = material.contexts.find("mutual"); set != material.contexts.end()) {
    context->pictures = own_context<MutualContext>(*set->second.at(0), k_name).pictures;
    context->asked = context->pictures->place_of(material.files.at("picture"));
    return context;
  }
  std::vector<std::string> paths;
  for (const auto& [name, path] : material.files) {
    if (name.starts_with(k_of_set)) paths.push_back(path);
  }
  check_input(!paths.empty(), "E_NORMALS", "no pictures to be compared with each other");
  context->pictures = std::make_shared<normals::PictureFiles>(std::move(paths), towers.device);
  context->pictures->first().check_fits(patch_towers(towers), towers.height, towers.width);
  return context;
}

bool is_of_mutual(const Material& material) {
  return material.contexts.contains("mutual") || std::ranges::any_of(material.files, [](const auto& file) {
           return file.first.starts_with(k_of_set);
         });
}

}  // namespace

std::vector<PatchCount> BankContext::left_out() const {
  if (!bank.background()) return {};
  std::vector<PatchCount> counts;
  for (size_t p = 0; p < bank.background()->patches.size(); ++p) {
    counts.push_back({bank.background()->left_out[p], bank.background()->patches[p]});
  }
  return counts;
}

void BankContext::check_versions() const {
  bank.check_versions();
  if (asked) asked->check_versions();
}

const normals::Subspace& BankContext::subspace() const {
  std::call_once(fitted_, [this] { subspace_ = bank.subspace(k_none); });
  return *subspace_;
}

Normals::Normals(const Settings& settings) : Method(k_name, settings), options_(parse(settings)) {
  facts_.parts = {"farthest", "background"};
}

std::shared_ptr<const Method> make_normals(const Settings& settings) {
  return std::make_shared<Normals>(settings);
}

std::shared_ptr<const Context> Normals::prepare(const Towers& towers, const Material& material,
                                                std::span<const at::Tensor> normals) const {
  if (is_of_mutual(material)) return mutual_context(towers, material);
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
      (!is_told("bankSize") || bank.is_coreset() == (options_.bank_size > 0)) &&
      (!is_told("bankForeground") || bank.background().has_value() == options_.is_foreground) &&
      (!is_told("bankPrecision") || bank.precision() == options_.precision);
  check_input(is_as_told, "E_NORMALS", path,
              ": damaged: it says to hold a bank of another kind than it does");
}

// A bank's own pictures have one fewer to be compared with, and the same number of neighbours: so what holds
// for the scores of exchangeable pictures holds for theirs (methods/normals.md 3).
at::Tensor Normals::cosines_of(const at::Tensor& rows, const normals::Bank& bank, int64_t without) const {
  const int64_t others = bank.pictures() - 1;
  if (bank.is_coreset()) {
    const normals::LeftOut own = without < 0 ? normals::LeftOut{} : bank.searched_of(without);
    check_input(others == 0 || own.last - own.first < bank.searched().size(0), "E_NORMALS", "all ",
                bank.searched().size(0), " rows of the bank are of one picture of ", bank.pictures(),
                ", which nothing is left to compare with: choose more (bankSize)");
    // What one picture's rows stand for may be chosen of another: the nearest row alone says how far one is.
    return normals::nearest_cosines(rows, bank.searched(), own);
  }
  const int64_t neighbours = std::max<int64_t>(1, std::min(options_.neighbours, others));
  if (neighbours == 1) {
    return normals::nearest_cosines(rows, bank.searched(),
                                    without < 0 ? normals::LeftOut{} : bank.searched_of(without));
  }
  return normals::cosines_of_nearest_pictures(rows, bank.searched(), bank.searched_starts(), without,
                                              neighbours);
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
  const vision::Grid grid = context.bank.grid();
  normals::Foreground shown;
  if (context.bank.background()) shown = normals::foreground_of(context.bank.comparable(rows), grid);
  at::Tensor far;
  if (shown.left_out == 0) {
    far = distances_of(rows, context, without);
  } else {
    // The background is not far from anything.
    const at::Tensor which = shown.kept.nonzero().flatten().to(rows.device());
    far = at::zeros({rows.size(0)}, rows.options());
    far.index_copy_(0, which, distances_of(rows.index_select(0, which), context, without));
  }
  if (trace) {
    trace->record("rows", rows.unsqueeze(0));
    trace->record("distances", far.unsqueeze(0));
  }
  return scores_by(towers, far, grid, shown.left_out);
}

Scores Normals::scores_by(const Towers& towers, const at::Tensor& far, vision::Grid grid,
                          int64_t left_out) const {
  return {
      {normals::top_mean(far, options_.top_share), at::full({1}, left_out, far.options().dtype(at::kDouble))},
      at::upsample_bilinear2d(far.view({1, 1, grid.height, grid.width}), {towers.height, towers.width},
                              /*align_corners=*/false)[0]};
}

Scores Normals::mutual_scores(const Towers& towers, const Context& context) const {
  const auto* own = dynamic_cast<const MutualContext*>(&context);
  check_input(
      own != nullptr && own->asked, "E_NORMALS",
      "pictures are compared with each other (mutual), and this is none of them, or was not there when "
      "they were learned");
  return scores_by(towers, own->pictures->distances(*own->asked, options_.mutual),
                   own->pictures->first().grid());
}

// Picture by picture on every device: what shares a call must not decide a bit, and a search fills a GPU.
Scores Normals::score(const Towers& towers, const Input& input, Trace* trace) const {
  std::vector<std::vector<at::Tensor>> parts(facts_.parts.size());
  std::vector<at::Tensor> maps;
  const auto score_one = [&](int64_t b) {
    const Context& context = *input.contexts[static_cast<size_t>(b)];
    if (options_.is_mutual) return mutual_scores(towers, context);
    const auto& own = own_context<BankContext>(context, k_name);
    own.bank.check_fits(patch_towers(towers), input.image.size(2), input.image.size(3));
    const at::Tensor rows =
        normals::patch_rows(patch_towers(towers), own.bank.what(), input.image.slice(0, b, b + 1));
    own.bank.check_versions();  // what is shorter now must not be looked at
    Scores scores = scores_of(towers, rows, own, k_none, trace);
    own.bank.check_versions();
    return scores;
  };
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const Scores one = score_one(b);
    for (size_t i = 0; i < parts.size(); ++i) parts[i].push_back(one.parts[i]);
    maps.push_back(one.map);
  }
  Scores scores;
  for (const auto& part : parts) scores.parts.push_back(at::cat(part, /*dim=*/0));
  scores.map = at::cat(maps, /*dim=*/0);
  return scores;
}

Scores Normals::score_own(const Towers& towers, const Context& context, int64_t picture) const {
  const auto& own = own_context<BankContext>(context, k_name);
  own.check_versions();
  Scores scores = scores_of_own(towers, own, picture);
  own.check_versions();
  return scores;
}

Scores Normals::scores_of_own(const Towers& towers, const BankContext& own, int64_t picture) const {
  CRANE_CHECK_INVARIANT(picture >= 0 && picture < own.own_pictures(), "picture ", picture, " of ",
                        own.own_pictures());
  if (options_.is_mutual) {
    check_input(!own.asked, "E_USAGE", "pictures are compared with each other, not with a bank");
    const auto rows_of = [&](int64_t p) {
      const normals::LeftOut rows = own.bank.of_picture(p);
      return own.bank.rows().slice(0, rows.first, rows.last);
    };
    const int64_t asked[] = {picture};
    const auto found =
        normals::mutual_distances(own.bank.pictures(), rows_of, own.bank.grid(), asked, options_.mutual);
    return scores_by(towers, found.front(), own.bank.grid());
  }
  if (own.asked) return scores_of(towers, own.asked->upright(picture), own, k_none, nullptr);
  return scores_of(towers, own.bank.upright(picture), own, picture, nullptr);
}

}  // namespace crane::methods
