# crane_core and crane_vector: no tensor library, nothing of the other rooms. The engine's build has them, and so
# has test/native/kernels/CMakeLists.txt, which builds them alone for other processors.
find_package(Threads REQUIRED)
get_filename_component(CRANE_ROOT "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)

file(GLOB CRANE_CORE_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/core/*.cpp)
add_library(crane_core STATIC ${CRANE_CORE_SOURCES})
target_include_directories(crane_core PUBLIC ${CRANE_ROOT}/native)
target_compile_options(crane_core PRIVATE -Wall -Wextra -ffp-contract=off)
target_link_libraries(crane_core PUBLIC Threads::Threads)

# the *_avx2, *_avx512 and like files alone are compiled for these instructions
file(GLOB CRANE_VECTOR_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*.cpp)
add_library(crane_vector STATIC ${CRANE_VECTOR_SOURCES})
target_compile_options(crane_vector PRIVATE -Wall -Wextra -ffp-contract=off)
target_link_libraries(crane_vector PUBLIC crane_core)
if(CRANE_TESTS)
  # a face that no product file knows: the table has a row for it in such builds alone
  target_sources(crane_vector PRIVATE ${CRANE_ROOT}/test/native/toy_face/toy_face.cpp)
  target_compile_definitions(crane_vector PRIVATE CRANE_TESTS)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  file(GLOB CRANE_AVX2_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_avx2.cpp)
  file(GLOB CRANE_AVX512_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_avx512.cpp)
  set_source_files_properties(${CRANE_AVX2_SOURCES} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
  # GCC 12 takes the undefined register inside its own intrinsics for a mistake of ours
  set(CRANE_AVX512_OPTIONS "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma;$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-uninitialized>")
  set_source_files_properties(${CRANE_AVX512_SOURCES} PROPERTIES COMPILE_OPTIONS "${CRANE_AVX512_OPTIONS}")
  file(GLOB CRANE_AVX512BF16_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_avx512bf16.cpp)
  set_source_files_properties(${CRANE_AVX512BF16_SOURCES} PROPERTIES COMPILE_OPTIONS
    "${CRANE_AVX512_OPTIONS};-mavx512bf16")
  file(GLOB CRANE_AVX512VNNI_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_avx512vnni.cpp)
  set_source_files_properties(${CRANE_AVX512VNNI_SOURCES} PROPERTIES COMPILE_OPTIONS
    "${CRANE_AVX512_OPTIONS};-mavx512vnni")
  file(GLOB CRANE_AVXVNNI_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_avxvnni.cpp)
  set_source_files_properties(${CRANE_AVXVNNI_SOURCES} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mavxvnni")
  file(GLOB CRANE_AMXBF16_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_amxbf16.cpp)
  set_source_files_properties(${CRANE_AMXBF16_SOURCES} PROPERTIES COMPILE_OPTIONS
    "${CRANE_AVX512_OPTIONS};-mavx512bf16")
  file(GLOB CRANE_AMXINT8_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_amxint8.cpp)
  set_source_files_properties(${CRANE_AMXINT8_SOURCES} PROPERTIES COMPILE_OPTIONS
    "${CRANE_AVX512_OPTIONS};-mavx512vnni")
  file(GLOB CRANE_AMX_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_amx.cpp)
  set_source_files_properties(${CRANE_AMX_SOURCES} PROPERTIES COMPILE_OPTIONS "-mamx-tile;-mamx-bf16;-mamx-int8")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  file(GLOB CRANE_NEONBF16_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_neonbf16.cpp)
  set_source_files_properties(${CRANE_NEONBF16_SOURCES} PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+bf16")
  file(GLOB CRANE_NEONI8MM_SOURCES CONFIGURE_DEPENDS ${CRANE_ROOT}/native/kernels/*_neoni8mm.cpp)
  set_source_files_properties(${CRANE_NEONI8MM_SOURCES} PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+i8mm")
endif()
