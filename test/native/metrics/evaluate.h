// Evaluates pictures of the judge with the engine.
#pragma once

#include <string>
#include <vector>

#include "judge.h"
#include "metrics/class_evaluator.h"

namespace crane::metrics {

inline MeasuredPicture view_of(const judge::Picture& picture, const std::string& name = "picture") {
  MeasuredPicture view;
  view.name = name;
  view.map = picture.map.data();
  view.mask = picture.mask.data();
  view.width = picture.width;
  view.height = picture.height;
  return view;
}

inline ClassResult evaluate(const std::vector<judge::Picture>& pictures, const EvaluateOptions& options = {},
                            int threads = 1) {
  ClassEvaluator evaluator;
  for (const judge::Picture& picture : pictures) evaluator.add(view_of(picture));
  return evaluator.finish(options, threads);
}

}  // namespace crane::metrics
