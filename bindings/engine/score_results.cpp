#include "score_results.h"

#include "engine/map_results.h"

namespace crane::bindings {
namespace {

Napi::Object timings(Napi::Env env, const ScoreOutcome& outcome) {
  Napi::Object ms = Napi::Object::New(env);
  ms.Set("preprocess", outcome.preprocess_ms);
  ms.Set("forward", outcome.forward_ms);
  ms.Set("postprocess", outcome.postprocess_ms);
  return ms;
}

}  // namespace

void ScoreResults::take(Napi::Env env, const std::vector<ScoreOutcome>& outcomes) {
  CRANE_CHECK_INVARIANT(outcomes.size() == items_.size(), outcomes.size(), " outcomes of ", items_.size(),
                        " pictures");
  arrays_.resize(outcomes.size());
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const ScoreItem& item = items_[i];
    Arrays& arrays = arrays_[i];
    if (item.wants_map) {
      std::tie(arrays.map_width, arrays.map_height) = map_size(item, outcomes[i]);
      arrays.map.emplace(env, static_cast<size_t>(arrays.map_width * arrays.map_height));
    }
    if (item.heat) {
      arrays.heat.emplace(env, static_cast<size_t>(item.picture.width * item.picture.height * 3));
    }
  }
}

void ScoreResults::fill(std::vector<ScoreOutcome>& outcomes) const {
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Arrays& arrays = arrays_[i];
    finish_map(items_[i], outcomes[i],
               {arrays.map ? arrays.map->data() : nullptr, arrays.heat ? arrays.heat->data() : nullptr});
  }
}

Napi::Value ScoreResults::operator()(Napi::Env env, std::vector<ScoreOutcome>& outcomes) const {
  Napi::Array list = Napi::Array::New(env, outcomes.size());
  for (uint32_t i = 0; i < outcomes.size(); ++i) {
    ScoreOutcome& outcome = outcomes[i];
    const Arrays& arrays = arrays_[i];
    Napi::Object js = Napi::Object::New(env);
    js.Set("score", outcome.score);
    Napi::Object parts = Napi::Object::New(env);
    for (size_t part = 0; part < outcome.parts.size(); ++part) parts.Set(parts_[part], outcome.parts[part]);
    js.Set("parts", parts);
    js.Set("mapMax", outcome.map_max());
    if (arrays.map) {
      Napi::Object map = Napi::Object::New(env);
      map.Set("data", arrays.map->value());
      map.Set("width", static_cast<double>(arrays.map_width));
      map.Set("height", static_cast<double>(arrays.map_height));
      js.Set("map", map);
    }
    if (arrays.heat) js.Set("heat", arrays.heat->value());
    if (outcome.regions) js.Set("regions", regions_to_js(env, *outcome.regions));
    js.Set("ms", timings(env, outcome));
    list.Set(i, js);
  }
  return list;
}

}  // namespace crane::bindings
