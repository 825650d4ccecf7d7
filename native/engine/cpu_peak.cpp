#include "engine/cpu_peak.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <ctime>

#include "core/stopwatch.h"
#include "kernels/choice.h"
#include "tensors/team.h"
#include "tensors/torch_errors.h"
#include "tensors/torch_headers.h"

namespace crane {
namespace {

constexpr double k_stretch_seconds = 0.01;
constexpr int k_stretches = 5;

struct Stretch {
  double seconds = 0;
  double cpu_seconds = 0;
};

// Every thread of the team runs the chains once.
Stretch run_chains(const kernels::PeakFace& face, int threads, int64_t steps) {
  const std::clock_t cpu = std::clock();
  Stopwatch watch;
  run_on_team(threads, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      float factors[kernels::k_most_peak_depth];
      std::fill(std::begin(factors), std::end(factors), 1.0F);
      alignas(64) float results[kernels::k_most_peak_results] = {};
      face.run({steps, factors, factors, results});
    }
  });
  return {watch.lap_ms() / 1e3, static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC};
}

PeakRate time_peak(const kernels::PeakRow& row) {
  const kernels::PeakFace& face = *row.function;
  const int threads = at::get_num_threads();
  // Long enough for the clock to have reached what these instructions run at.
  int64_t steps = 1000;
  for (double seconds = 0; seconds < k_stretch_seconds / 2;) {
    seconds = run_chains(face, threads, steps).seconds;
    if (seconds < k_stretch_seconds / 2) steps *= 2;
  }
  Stretch best;
  for (int i = 0; i < k_stretches; ++i) {
    const Stretch stretch = run_chains(face, threads, steps);
    if (i == 0 || stretch.seconds < best.seconds) best = stretch;
  }
  return {std::string(kernels::format_name(row.format)),
          std::string(row.face),
          std::string(row.instruction),
          static_cast<double>(face.operations()) * static_cast<double>(steps) * threads,
          best.seconds,
          best.cpu_seconds};
}

}  // namespace

std::vector<PeakRate> time_peaks() {
  return translate_errors([] {
    std::vector<PeakRate> rates;
    for (const kernels::PeakRow& row : kernels::peaks()) {
      if (kernels::can_run(row)) rates.push_back(time_peak(row));
    }
    return rates;
  });
}

}  // namespace crane
