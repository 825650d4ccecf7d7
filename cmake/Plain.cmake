# The rooms that know no tensor library: crane_plain, over crane_core and crane_vector. The engine's build has them, and so
# has test/fire/CMakeLists.txt, which builds the parsers alone under sanitizers.
if(NOT CRANE_PLAIN_ROOMS)
  set(CRANE_PLAIN_ROOMS "weights|image|metrics")
  set(CRANE_PLAIN_TESTED "core|kernels|${CRANE_PLAIN_ROOMS}")
endif()
file(GLOB_RECURSE CRANE_PLAIN_SOURCES RELATIVE ${CRANE_ROOT} CONFIGURE_DEPENDS ${CRANE_ROOT}/native/*.cpp)
list(FILTER CRANE_PLAIN_SOURCES INCLUDE REGEX "^native/(${CRANE_PLAIN_ROOMS})/")
list(TRANSFORM CRANE_PLAIN_SOURCES PREPEND ${CRANE_ROOT}/)
add_library(crane_plain STATIC ${CRANE_PLAIN_SOURCES})
target_compile_options(crane_plain PRIVATE -Wall -Wextra -ffp-contract=off)
target_link_libraries(crane_plain PUBLIC crane_vector)

# Their tests: a new room's folder is found without a word here.
if(CRANE_TESTS)
  find_package(GTest REQUIRED)
  file(GLOB_RECURSE CRANE_PLAIN_TESTS RELATIVE ${CRANE_ROOT} CONFIGURE_DEPENDS ${CRANE_ROOT}/test/native/*.cpp)
  list(FILTER CRANE_PLAIN_TESTS INCLUDE REGEX "^test/native/(${CRANE_PLAIN_TESTED})/")
  list(TRANSFORM CRANE_PLAIN_TESTS PREPEND ${CRANE_ROOT}/)
  # with the one checkpoint of a method whose file the tests of weights read
  add_executable(crane_plain_tests ${CRANE_PLAIN_TESTS} ${CRANE_ROOT}/native/text/prompt_checkpoint.cpp)
  target_link_libraries(crane_plain_tests PRIVATE crane_plain GTest::gtest GTest::gtest_main)
  target_precompile_headers(crane_plain_tests PRIVATE <gtest/gtest.h>)
endif()
