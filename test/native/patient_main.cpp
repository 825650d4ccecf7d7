// The main of the test programs: as gtest_main, but compute threads wait asleep, as they do in the addon.
// OpenMP reads how its threads shall wait while it is opened, which is before main: so the program starts
// itself anew with the word in its environment. (In the addon the loader sees to it,
// bindings/loader/loader.cpp.)
#include <gtest/gtest.h>

#include <cstdlib>

#ifdef __linux__
#include <unistd.h>

namespace {

// Who says how OpenMP's threads wait is not overruled.
void wait_asleep(char** argv) {
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
    if (std::getenv(name) != nullptr) return;
  }
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/1);
  execv("/proc/self/exe", argv);
  // Where that is not to be had, threads spin.
}

}  // namespace
#endif

int main(int argc, char** argv) {
#ifdef __linux__
  wait_asleep(argv);
#endif
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
