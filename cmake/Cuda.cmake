# CRANE_CUDA=auto|on|off decides whether the kernels in native/**/*_cuda.cu are compiled. They include no
# torch header, so that nvcc never sees libtorch: each .cu has a plain C++ header that takes device pointers
# and a stream. Sets CRANE_CUDA_ENABLED; when ON: targets crane_cuda_kernels (the kernels) and
# crane::torch_cuda (libtorch's CUDA libraries, for those who ask it for the current stream).
set(CRANE_CUDA_ENABLED OFF)
if(CRANE_CUDA STREQUAL "off")
  return()
endif()

# nvcc: CMAKE_CUDA_COMPILER, CUDACXX, CUDA_HOME or CUDA_PATH, then the PATH
if(NOT CMAKE_CUDA_COMPILER)
  find_program(CRANE_NVCC nvcc HINTS "$ENV{CUDACXX}" ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda
               PATH_SUFFIXES bin)
  if(DEFINED ENV{CUDACXX} AND EXISTS "$ENV{CUDACXX}")
    set(CMAKE_CUDA_COMPILER "$ENV{CUDACXX}")
  elseif(CRANE_NVCC)
    set(CMAKE_CUDA_COMPILER "${CRANE_NVCC}")
  endif()
endif()
if(NOT CMAKE_CUDA_COMPILER)
  if(CRANE_CUDA STREQUAL "on")
    message(FATAL_ERROR "CRANE_CUDA=on, but there is no nvcc in CUDACXX, CUDA_HOME or PATH")
  endif()
  message(STATUS "CUDA: off (no nvcc)")
  return()
endif()
if(CRANE_CUDA STREQUAL "auto" AND UNIX AND NOT EXISTS /proc/driver/nvidia/version AND NOT EXISTS /dev/dxg)
  message(STATUS "CUDA: off (nvcc is there, but no NVIDIA driver; CRANE_CUDA=on compiles anyway)")
  return()
endif()

set(CMAKE_CUDA_ARCHITECTURES "80-real;90" CACHE STRING "GPU architectures: machine code for A100 and H100, PTX for later ones")
# libtorch brings the CUDA runtime (libcudart.so.13, never shipped by us); a second, static one is not wanted
set(CMAKE_CUDA_RUNTIME_LIBRARY None)
enable_language(CUDA)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 13 OR CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
  message(FATAL_ERROR "nvcc is ${CMAKE_CUDA_COMPILER_VERSION}, libtorch's CUDA libraries need 13.x; "
                      "or build for the CPU: CRANE_CUDA=off")
endif()
set(CRANE_CUDA_ENABLED ON)

file(GLOB_RECURSE CRANE_CUDA_SOURCES CONFIGURE_DEPENDS native/*_cuda.cu)
add_library(crane_cuda_kernels STATIC ${CRANE_CUDA_SOURCES})
set_target_properties(crane_cuda_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)
# C++20 by a flag: CMake before 3.26 does not know that nvcc has it. It would take CXX_STANDARD for CUDA too.
set_property(TARGET crane_cuda_kernels PROPERTY CXX_STANDARD)
set_property(TARGET crane_cuda_kernels PROPERTY CXX_STANDARD_REQUIRED)
target_include_directories(crane_cuda_kernels PRIVATE native)
target_compile_options(crane_cuda_kernels PRIVATE -std=c++20 -Xcompiler=-Wall,-fvisibility=hidden)

# The runtime to link against: libtorch's own where it lies beside it (wheel or cache), else the toolkit's.
get_filename_component(CRANE_NVIDIA_ROOT "${CRANE_LIBTORCH_ROOT}/../nvidia/cu13" ABSOLUTE)
find_file(CRANE_CUDART NAMES libcudart.so.13 PATHS "${CRANE_NVIDIA_ROOT}/lib" ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES}
          NO_DEFAULT_PATH)
if(NOT CRANE_CUDART)
  message(FATAL_ERROR "libcudart.so.13 is neither in ${CRANE_NVIDIA_ROOT}/lib nor in the CUDA toolkit")
endif()
add_library(crane_cudart SHARED IMPORTED)
set_target_properties(crane_cudart PROPERTIES IMPORTED_LOCATION "${CRANE_CUDART}")
target_link_libraries(crane_cuda_kernels PUBLIC crane_cudart)

add_library(crane_torch_cuda INTERFACE)
add_library(crane::torch_cuda ALIAS crane_torch_cuda)
target_include_directories(crane_torch_cuda SYSTEM INTERFACE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
target_link_libraries(crane_torch_cuda INTERFACE crane_cudart)
foreach(name c10_cuda torch_cuda)
  if(EXISTS "${CRANE_LIBTORCH_ROOT}/lib/lib${name}.so")
    add_library(crane_${name}_library SHARED IMPORTED)
    set_target_properties(crane_${name}_library PROPERTIES
                          IMPORTED_LOCATION "${CRANE_LIBTORCH_ROOT}/lib/lib${name}.so")
    target_link_libraries(crane_torch_cuda INTERFACE crane_${name}_library)
  else()
    message(FATAL_ERROR "CRANE_CUDA: ${CRANE_LIBTORCH_ROOT}/lib has no lib${name}.so; "
                        "use a CUDA build of libtorch, or CRANE_CUDA=off")
  endif()
endforeach()
message(STATUS "CUDA: on (nvcc ${CMAKE_CUDA_COMPILER_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES})")
