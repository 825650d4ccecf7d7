#include "methods/both/both.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "normals/search.h"

namespace crane::methods {
namespace {

constexpr const char* k_name = "both";
constexpr double k_most_weight = 1000;
constexpr std::string_view k_of_bank[] = {"bankTower",      "bankBlocks",   "turns",         "mirror",
                                          "bankKind",       "bankVariance", "bankPrecision", "bankSize",
                                          "bankForeground", "topShare",     "neighbours"};
constexpr std::string_view k_own[] = {"promptMapWeight", "promptScoreWeight", "promptLeastSpread"};

template <size_t N>
Settings only(const Settings& settings, const std::string_view (&names)[N], bool is_in) {
  Settings some;
  for (const auto& [name, value] : settings) {
    const bool is_named = std::ranges::find(names, name) != std::end(names);
    if (is_named == is_in) some.emplace(name, value);
  }
  return some;
}

BothOptions parse(const Settings& settings) {
  BothOptions options;
  SettingsReader read(settings);
  read.number("promptMapWeight", options.map_weight, 0, k_most_weight);
  read.number("promptScoreWeight", options.score_weight, 0, k_most_weight);
  read.number("promptLeastSpread", options.least_spread, 0, 1);
  read.finish(k_name);
  return options;
}

// In an order of their own, so that the pictures' order decides no bit.
double sum_of(std::vector<double> values) {
  std::ranges::sort(values);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// Standard deviation over all pixels of all pictures, in double.
class Spread {
 public:
  void add(const at::Tensor& map) {
    const at::Tensor values = map.to(at::kDouble);
    count_ += static_cast<double>(values.numel());
    sums_.push_back(values.sum().item<double>());
    squares_.push_back(values.square().sum().item<double>());
  }
  double value() const {
    const double mean = sum_of(sums_) / count_;
    return std::sqrt(std::max(0.0, sum_of(squares_) / count_ - mean * mean));
  }

 private:
  double count_ = 0;
  std::vector<double> sums_;
  std::vector<double> squares_;
};

// With weight w of x in spreads s beside 1 of y in spreads t, y / t + w x / s is a multiple of
// share x + (1 - share) y.
double share_of(double weight, double spread, double other) {
  const double own = weight * other;
  return own + spread > 0 ? own / (own + spread) : 0;
}

}  // namespace

Both::Both(const Settings& settings)
    : Method(k_name, settings),
      options_(parse(only(settings, k_own, true))),
      prompts_(only(only(settings, k_own, false), k_of_bank, false)),
      bank_(only(settings, k_of_bank, true)) {
  check_input(!prompts_.facts().couples_pictures, "E_MODEL_CONFIG",
              "beside a bank a score cannot depend on the pictures that share a call (compat.batchMean)");
  facts_.parts = {k_name, "background"};
}

std::shared_ptr<const Method> make_both(const Settings& settings) { return std::make_shared<Both>(settings); }

std::shared_ptr<const Context> Both::prepare(const Towers& towers, const Material& material,
                                             std::span<const at::Tensor> normals) const {
  if (const auto of = material.contexts.find("both"); of != material.contexts.end()) {
    return asking(towers, own_context<BothContext>(*of->second.front(), k_name), material);
  }
  if (material.texts.empty()) {
    auto learned = bank_.prepare(towers, material, normals);
    if (normals.empty()) return learned;
    return std::make_shared<BankContext>(
        with_features(towers, own_context<BankContext>(*learned, k_name).bank, normals));
  }
  auto context = std::make_shared<BothContext>();
  context->prompts = prompts_.prepare(towers, material, {});
  const auto found = material.contexts.find("memory");
  check_input(found != material.contexts.end() && found->second.size() == 1, "E_NORMALS",
              "prompts and normal pictures together need a bank of these");
  context->bank = std::dynamic_pointer_cast<const BankContext>(found->second.front());
  check_input(context->bank != nullptr, "E_USAGE", "this context was not prepared by method ", k_name);
  check_input(context->bank->bank.pictures() >= 2, "E_NORMALS",
              "prompts and normal pictures together need two normal pictures, the bank has one");
  context->shares = shares_of(towers, *context);
  return context;
}

normals::Bank Both::with_features(const Towers& towers, const normals::Bank& bank,
                                  std::span<const at::Tensor> pictures) const {
  std::map<std::string, std::vector<at::Tensor>> kept;
  for (const at::Tensor& picture : pictures) {
    const NamedTensors of_picture = prompts_.features(towers, picture).front();
    for (const auto& [name, values] : of_picture) {
      kept[name].push_back(values.to(at::kFloat));
    }
  }
  normals::Beside beside;
  for (const auto& [name, values] : kept) beside.emplace(name, at::stack(values, /*dim=*/0));
  return bank.with(std::move(beside));
}

std::shared_ptr<const Context> Both::asking(const Towers& towers, const BothContext& of,
                                            const Material& material) const {
  auto context = std::make_shared<BothContext>(of);
  Material parts;
  parts.contexts["bank"] = {of.bank};
  parts.contexts["pictures"] = material.contexts.at("pictures");
  context->bank = std::static_pointer_cast<const BankContext>(bank_.prepare(towers, parts, {}));
  return context;
}

// Of one of the context's own pictures, as score() has it.
Scores Both::kept_prompts(const Towers& towers, const BothContext& context, int64_t picture) const {
  NamedTensors features;
  const FeatureShape wanted = *prompts_.feature_shape(towers);
  const normals::Beside& beside = (context.bank->asked ? *context.bank->asked : context.bank->bank).beside();
  for (const FeatureTensor& each : wanted.tensors) {
    const auto found = beside.find(each.name);
    check_input(found != beside.end(), "E_NORMALS",
                "a bank that does not hold what prompts are compared with: learn it for both");
    check_input(found->second.sizes().slice(1) == at::IntArrayRef(each.shape), "E_NORMALS",
                "a bank that was learned with other settings of the prompts' maps");
    features.emplace_back(each.name, found->second[picture]);
  }
  context.bank->check_versions();
  Scores scores = prompts_.score_kept(towers, features, *context.prompts);
  context.bank->check_versions();
  return scores;
}

Shares Both::shares_of(const Towers& towers, const BothContext& context) const {
  Spread of_bank;
  Spread of_prompts;
  for (int64_t i = 0; i < context.bank->bank.pictures(); ++i) {
    of_bank.add(bank_.score_own(towers, *context.bank, i).map);
    of_prompts.add(kept_prompts(towers, context, i).map);
  }
  const double spread = std::hypot(of_prompts.value(), options_.least_spread);
  return {share_of(options_.map_weight, spread, of_bank.value()),
          share_of(options_.score_weight, spread, of_bank.value())};
}

// Of one picture.
Scores Both::joined(const Shares& shares, const Scores& bank, const Scores& prompts) const {
  const auto mix = [](double share, const at::Tensor& of_prompts, const at::Tensor& of_bank) {
    return share * of_prompts + (1 - share) * of_bank;
  };
  const at::Tensor probable = normals::top_mean(prompts.map, bank_.top_share());
  return {{mix(shares.score, probable, bank.parts.front().to(at::kDouble)), bank.parts.back()},
          mix(shares.map, prompts.map, bank.map)};
}

// Each in its own way, picture by picture: what shares a call must not decide a bit.
Scores Both::score(const Towers& towers, const Input& input, Trace* trace) const {
  std::vector<at::Tensor> parts;
  std::vector<at::Tensor> left_out;
  std::vector<at::Tensor> maps;
  for (int64_t b = 0; b < input.image.size(0); ++b) {
    const auto& context = own_context<BothContext>(*input.contexts[static_cast<size_t>(b)], k_name);
    const at::Tensor image = input.image.slice(0, b, b + 1);
    const Scores one = joined(context.shares, bank_.score(towers, {image, {context.bank.get()}}, trace),
                              prompts_.score(towers, {image, {context.prompts.get()}}, trace));
    parts.push_back(one.parts.front());
    left_out.push_back(one.parts.back());
    maps.push_back(one.map);
  }
  return {{at::cat(parts, /*dim=*/0), at::cat(left_out, /*dim=*/0)}, at::cat(maps, /*dim=*/0)};
}

Scores Both::score_own(const Towers& towers, const Context& context, int64_t picture) const {
  const auto& own = own_context<BothContext>(context, k_name);
  return joined(own.shares, bank_.score_own(towers, *own.bank, picture), kept_prompts(towers, own, picture));
}

}  // namespace crane::methods
