// The CPU's own limit: how many operations a second its multiply-add instructions do when nothing else is
// asked of it (kernels/peak.h). Free of tensor headers.
#pragma once

#include <string>
#include <vector>

namespace crane {

struct PeakRate {
  std::string format;       // "float32", "bfloat16" or "int8"
  std::string face;         // "avx512"
  std::string instruction;  // "VFMADD, 512 bits"
  double operations = 0;    // of all threads together; a multiply-add is two
  double seconds = 0;
  double cpu_seconds = 0;  // processor time of the whole process meanwhile
};

// Every instruction that this CPU has and may use, in the order of the table (kernels/table.h), timed on all
// compute threads: of a few stretches of some milliseconds the fastest. Runs on the compute thread.
std::vector<PeakRate> time_peaks();

}  // namespace crane
