// The machine's rate at plain matrix products: what the speed of a forward pass is measured against. Free of
// tensor headers.
#pragma once

#include <cstdint>
#include <string>

#include "core/precision.h"

namespace crane {

struct GemmRequest {
  int64_t size = 0;     // rows and columns of both factors
  int64_t repeats = 0;  // products in a row
  Precision precision = Precision::float32;
  std::string device = "cpu";
};

// Of one product.
struct GemmTime {
  double seconds = 0;
  double cpu_seconds = 0;  // processor time of the whole process: of all threads, without what others took
};

// Times libtorch's products of two [size, size] matrices, mean of `repeats`; making the matrices and a first
// product are not counted. Runs on the compute thread with its number of threads.
// Errors: E_USAGE, E_DEVICE, E_MEMORY.
GemmTime time_gemm(const GemmRequest& request);

}  // namespace crane
