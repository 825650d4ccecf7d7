#include "metrics/evaluator.h"

#include <cmath>
#include <thread>

#include "core/error.h"

namespace crane::metrics {

Evaluator::Evaluator(EvaluateOptions options, int threads) : options_(std::move(options)), threads_(threads) {
  for (const double limit : options_.limits) {
    check_input(limit > 0.0 && limit <= 1.0, "E_USAGE", "limit ", limit, " is not in (0, 1]");
  }
  check_input(!options_.threshold || !std::isnan(*options_.threshold), "E_USAGE", "threshold is NaN");
  check_input(!options_.map_threshold || !std::isnan(*options_.map_threshold), "E_USAGE",
              "mapThreshold is NaN");
  check_input(options_.curve_points != 1, "E_USAGE", "a curve needs at least 2 points");
  if (threads_ <= 0) threads_ = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::shared_ptr<ClassEvaluator> Evaluator::open_class(const std::string& name) {
  const std::lock_guard lock(mutex_);
  check_input(!finished_.contains(name), "E_USAGE", "class \"", name, "\" is finished already");
  const auto found = open_.find(name);
  if (found != open_.end()) return found->second;
  // Made before its name is entered: a class without an evaluator would be finished as one.
  return open_.emplace(name, std::make_shared<ClassEvaluator>()).first->second;
}

void Evaluator::add(const std::string& class_name, const MeasuredPicture& picture) {
  open_class(class_name)->add(picture);
}

void Evaluator::add_mapped(const std::string& class_name, const MappedSet& set) {
  add_mapped_set(set, *open_class(class_name), threads_);
}

ClassResult Evaluator::finish_class(const std::string& class_name) {
  std::shared_ptr<ClassEvaluator> evaluator;
  {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(class_name);
    check_input(found != open_.end(), "E_USAGE", "class \"", class_name,
                finished_.contains(class_name) ? "\" is finished already" : "\" has no pictures");
    finished_.insert(class_name);  // first: it may be refused memory, and then the class is open still
    evaluator = std::move(found->second);
    open_.erase(found);
  }
  return evaluator->finish(options_, threads_);
}

}  // namespace crane::metrics
