// Metrics of several classes whose pictures arrive in any order, from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "metrics/class_evaluator.h"
#include "metrics/mapped_set.h"
#include "metrics/result.h"

namespace crane::metrics {

// Memory: two bytes for each normal pixel and eight for each anomalous one of the classes that are not
// finished, but per class and per 65,536 neighbouring scores no more than a table of them, however many
// pictures follow.
class Evaluator {
 public:
  // threads: 0 for all cores. Errors: E_USAGE for limits or thresholds that make no sense.
  Evaluator(EvaluateOptions options, int threads);

  // Errors: those of ClassEvaluator::add and add_mapped_set; E_USAGE for a class that is finished.
  void add(const std::string& class_name, const MeasuredPicture& picture);
  void add_mapped(const std::string& class_name, const MappedSet& set);

  // Computes one class and forgets its pixels; no picture of it may be in the middle of add(). A class nobody
  // added to is E_USAGE.
  ClassResult finish_class(const std::string& class_name);

 private:
  std::shared_ptr<ClassEvaluator> open_class(const std::string& name);

  EvaluateOptions options_;
  int threads_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<ClassEvaluator>> open_;
  std::set<std::string> finished_;
};

}  // namespace crane::metrics
