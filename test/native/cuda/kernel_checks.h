// The kernels of a GPU against their definitions, as a list that both GoogleTest (kernels_test.cpp, on a GPU
// or emulated) and the program of scripts/gpu.sh walk.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace crane::cuda {

struct KernelCheck {
  std::string name;
  // Worst difference, as a share of what is allowed: at most 1 is well; NaN where NaN does not belong.
  std::function<double()> run;
};

// `is_on_gpu`: tensors on cuda:0, else on the CPU with emulated kernels, and smaller.
std::vector<KernelCheck> kernel_checks(bool is_on_gpu);

}  // namespace crane::cuda
