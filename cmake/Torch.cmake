# Imported target crane::torch for the CPU libraries of libtorch. `find_package(Torch)` is not used:
# the wheel's package file stops on machines without CUDA, although the CPU libraries are complete.
if(NOT EXISTS "${CRANE_LIBTORCH_ROOT}/include/ATen/ATen.h")
  message(FATAL_ERROR "CRANE_LIBTORCH_ROOT (${CRANE_LIBTORCH_ROOT}) has no include/ATen/ATen.h; "
                      "build with: npx crane-native build")
endif()

add_library(crane_c10 SHARED IMPORTED)
set_target_properties(crane_c10 PROPERTIES IMPORTED_LOCATION "${CRANE_LIBTORCH_ROOT}/lib/libc10.so")
add_library(crane_torch_cpu SHARED IMPORTED)
set_target_properties(crane_torch_cpu PROPERTIES IMPORTED_LOCATION "${CRANE_LIBTORCH_ROOT}/lib/libtorch_cpu.so")

add_library(crane_torch INTERFACE)
add_library(crane::torch ALIAS crane_torch)
target_include_directories(crane_torch SYSTEM INTERFACE "${CRANE_LIBTORCH_ROOT}/include"
  "${CRANE_LIBTORCH_ROOT}/include/torch/csrc/api/include")
target_compile_definitions(crane_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
target_link_libraries(crane_torch INTERFACE crane_torch_cpu crane_c10)
