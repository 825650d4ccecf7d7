#include "metric_results.h"

#include <string>

namespace crane::bindings {
namespace {

using metrics::Metric;

Napi::Object metric_to_js(Napi::Env env, const Metric& metric) {
  Napi::Object js = Napi::Object::New(env);
  if (metric.value) {
    js.Set("value", *metric.value);
  } else {
    js.Set("value", env.Null());
    js.Set("reason", std::string(metric.reason));
  }
  return js;
}

Napi::Object best_f1_to_js(Napi::Env env, const metrics::BestF1& best) {
  Napi::Object js = metric_to_js(env, best.f1);
  if (!best.f1.value) return js;
  js.Set("threshold", best.threshold);
  js.Set("precision", best.precision);
  js.Set("recall", best.recall);
  return js;
}

Napi::Object confusion_to_js(Napi::Env env, const metrics::Confusion& confusion) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("threshold", confusion.threshold);
  js.Set("truePositives", static_cast<double>(confusion.true_positives));
  js.Set("falsePositives", static_cast<double>(confusion.false_positives));
  js.Set("falseNegatives", static_cast<double>(confusion.false_negatives));
  js.Set("trueNegatives", static_cast<double>(confusion.true_negatives));
  js.Set("precision", metric_to_js(env, confusion.precision));
  js.Set("recall", metric_to_js(env, confusion.recall));
  js.Set("f1", metric_to_js(env, confusion.f1));
  return js;
}

template <typename Values, typename ValueOf>
Napi::Float64Array doubles(Napi::Env env, const Values& values, ValueOf value_of) {
  Napi::Float64Array js = Napi::Float64Array::New(env, values.size());
  for (size_t i = 0; i < values.size(); ++i) js[i] = value_of(values[i]);
  return js;
}

Napi::Object histogram_to_js(Napi::Env env, const metrics::Histogram& histogram) {
  const auto as_double = [](uint64_t count) { return static_cast<double>(count); };
  Napi::Object js = Napi::Object::New(env);
  js.Set("lowest", histogram.lowest);
  js.Set("highest", histogram.highest);
  js.Set("normal", doubles(env, histogram.normal, as_double));
  js.Set("anomalous", doubles(env, histogram.anomalous, as_double));
  return js;
}

Napi::Object curve_to_js(Napi::Env env, const metrics::Curve& curve) {
  using Point = metrics::CurvePoint;
  Napi::Object js = Napi::Object::New(env);
  js.Set("x", doubles(env, curve, [](const Point& point) { return point.x; }));
  js.Set("y", doubles(env, curve, [](const Point& point) { return point.y; }));
  js.Set("threshold", doubles(env, curve, [](const Point& point) { return point.threshold; }));
  return js;
}

Napi::Object ranking_to_js(Napi::Env env, const metrics::Ranking& ranking) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("normal", static_cast<double>(ranking.normal));
  js.Set("anomalous", static_cast<double>(ranking.anomalous));
  js.Set("auroc", metric_to_js(env, ranking.auroc));
  js.Set("ap", metric_to_js(env, ranking.average_precision));
  js.Set("f1Max", best_f1_to_js(env, ranking.best_f1));
  if (ranking.confusion) js.Set("atThreshold", confusion_to_js(env, *ranking.confusion));
  if (ranking.histogram) js.Set("histogram", histogram_to_js(env, *ranking.histogram));
  if (!ranking.roc.empty()) {
    Napi::Object curves = Napi::Object::New(env);
    curves.Set("roc", curve_to_js(env, ranking.roc));
    curves.Set("precisionRecall", curve_to_js(env, ranking.precision_recall));
    js.Set("curves", curves);
  }
  return js;
}

Napi::Object pixel_to_js(Napi::Env env, const metrics::PixelResult& pixel) {
  Napi::Object js = ranking_to_js(env, pixel.ranking);
  js.Set("regions", static_cast<double>(pixel.regions));
  js.Set("lowest", pixel.lowest);
  js.Set("highest", pixel.highest);
  Napi::Array limits = Napi::Array::New(env, pixel.aupro.size());
  for (uint32_t i = 0; i < pixel.aupro.size(); ++i) {
    Napi::Object at_limit = Napi::Object::New(env);
    at_limit.Set("limit", pixel.aupro[i].limit);
    at_limit.Set("exact", metric_to_js(env, pixel.aupro[i].exact));
    at_limit.Set("reference200", metric_to_js(env, pixel.aupro[i].reference));
    limits.Set(i, at_limit);
  }
  js.Set("aupro", limits);
  if (!pixel.pro.empty()) js.Get("curves").As<Napi::Object>().Set("pro", curve_to_js(env, pixel.pro));
  return js;
}

Napi::Object remarks_to_js(Napi::Env env, const metrics::Remarks& remarks) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("pictures", static_cast<double>(remarks.pictures));
  js.Set("withoutScore", static_cast<double>(remarks.without_score));
  js.Set("withoutMap", static_cast<double>(remarks.without_map));
  js.Set("anomalousWithoutMask", static_cast<double>(remarks.anomalous_without_mask));
  js.Set("anomalousWithEmptyMask", static_cast<double>(remarks.anomalous_with_empty_mask));
  js.Set("normalWithAnomalousPixels", static_cast<double>(remarks.normal_with_anomalous_pixels));
  return js;
}

}  // namespace

Napi::Value class_result_to_js(Napi::Env env, const metrics::ClassResult& result) {
  Napi::Object js = Napi::Object::New(env);
  js.Set("remarks", remarks_to_js(env, result.remarks));
  js.Set("image", ranking_to_js(env, result.image));
  js.Set("pixel", pixel_to_js(env, result.pixel));
  return js;
}

}  // namespace crane::bindings
