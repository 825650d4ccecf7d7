#!/usr/bin/env bash
# Builds the engine for a GPU and checks and times everything that needs one: bash scripts/gpu.sh [output folder].
# Needs nvcc 13, a C++20 compiler and cmake (PATH, or from pip), and a libtorch 2.11.0 with CUDA: CRANE_LIBTORCH_ROOT,
# else that of `python3 -c "import torch"`. No Node, no GoogleTest, no network. About 4 minutes on 16 cores.
# Writes <output folder>/gpu.json and gpu.txt (default: build/gpu). Ends with PASS or FAIL; exit code 0 or 1.
# Without a GPU it says so, compiles the kernels where nvcc is, and runs them emulated on the CPU at small sizes.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/build/gpu}
build=${CRANE_GPU_BUILD:-$root/build/gpu-cmake}
jobs=${CRANE_JOBS:-$(nproc)}
mkdir -p "$out" "$build"
log="$out/gpu.txt"
: > "$log"

say() { echo "$*" | tee -a "$log"; }
fail() { say "FAIL  $*"; exit 1; }

torch=${CRANE_LIBTORCH_ROOT:-}
if [ -z "$torch" ]; then
  torch=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null) ||
    fail "no libtorch: set CRANE_LIBTORCH_ROOT, or install torch 2.11.0 for python3"
fi
cmake=$(command -v cmake || python3 -c 'import cmake, os; print(os.path.join(cmake.CMAKE_BIN_DIR, "cmake"))' 2>/dev/null) ||
  fail "no cmake in PATH or in python3's packages"
nvcc=${CUDACXX:-$(command -v nvcc || ls "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" 2>/dev/null || true)}
generator=()
command -v ninja > /dev/null && generator=(-G Ninja)

if nvidia-smi > /dev/null 2>&1; then
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader | tee -a "$log"
  [ -n "$nvcc" ] || fail "there is a GPU, but no nvcc in CUDACXX, CUDA_HOME or PATH"
  export CUDACXX=$nvcc
  cuda=on
  arguments=(--seconds=2)
  # machine code for this GPU alone: half of the compile time
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
  architecture=(-DCMAKE_CUDA_ARCHITECTURES="${capability}-real")
else
  say "no GPU here: kernels are compiled where nvcc is, and run emulated on the CPU"
  cuda=off
  arguments=(--blocks=2 --width=128 --side=84 --seconds=0)
  architecture=()
  if [ -n "$nvcc" ]; then
    while IFS= read -r source; do
      "$nvcc" -std=c++20 -O3 -I "$root/native" -gencode arch=compute_80,code=sm_80 \
        -gencode arch=compute_90,code=sm_90 -c "$source" -o "$build/kernel.o" >> "$log" 2>&1 ||
        fail "$source does not compile"
      say "PASS  ${source#"$root"/} compiled for sm_80 and sm_90"
    done < <(find "$root/native" -name '*_cuda.cu' | sort)
  fi
fi

start=$SECONDS
"$cmake" -S "$root" -B "$build" ${generator[@]+"${generator[@]}"} -DCMAKE_BUILD_TYPE=Release -DCRANE_CUDA=$cuda \
  ${architecture[@]+"${architecture[@]}"} -DCRANE_LIBTORCH_ROOT="$torch" >> "$log" 2>&1 || { tail -20 "$log"; fail "cmake"; }
"$cmake" --build "$build" --target crane_gpu_check -j "$jobs" >> "$log" 2>&1 || { tail -40 "$log"; fail "build"; }
say "built in $((SECONDS - start)) s"

timeout 420 "$build/crane_gpu_check" --json="$out/gpu.json" "${arguments[@]}" 2>&1 | tee -a "$log"
status=${PIPESTATUS[0]}
if [ "$status" -eq 0 ] && [ $cuda = on ] && command -v nsys > /dev/null; then
  # every kernel of a few forward passes by its share of the time, where the profiler is there
  timeout 100 nsys profile -o "$out/profile" --force-overwrite true "$build/crane_gpu_check" --profile --seconds=0 > /dev/null 2>&1 &&
    nsys stats --report cuda_gpu_kern_sum --format table "$out/profile.nsys-rep" 2>/dev/null | head -40 | tee -a "$log"
fi
say "$([ "$status" -eq 0 ] && echo PASS || echo FAIL)  gpu.sh, $((SECONDS - start)) s"
exit "$([ "$status" -eq 0 ] && echo 0 || echo 1)"
