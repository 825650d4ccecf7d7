#include "core/cpu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/cpu_quota.h"

namespace crane {
namespace {

namespace fs = std::filesystem;

// /proc and /sys of a machine that is not this one.
class Machine : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::temp_directory_path() / (std::string("crane-cpu-") + info->name());
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const fs::path file = root_.string() + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void second_version(const std::string& group, const std::string& mounted = "/") {
    write("/proc/self/cgroup", "0::" + group + "\n");
    write("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:26 " + mounted +
                                      " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void first_version(const std::string& group, const std::string& mounted) {
    write("/proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:" + group + "\n1:name=systemd:/init\n");
    write("/proc/self/mountinfo",
          "40 22 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n41 22 0:34 " + mounted +
              " /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  }
  int cores_of(int processors) {
    std::vector<int> allowed(static_cast<size_t>(processors));
    std::iota(allowed.begin(), allowed.end(), 0);
    return usable_cores(root_.string(), allowed);
  }
  std::string root() const { return root_.string(); }

 private:
  fs::path root_;
};

TEST_F(Machine, HyperThreadsCountOnce) {
  for (int cpu = 0; cpu < 8; ++cpu) {
    write("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
          std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4) + "\n");
  }
  EXPECT_EQ(cores_of(8), 4);
  EXPECT_EQ(cores_of(2), 2);
  EXPECT_EQ(usable_cores(root(), std::vector<int>{1, 5}), 1);
}

TEST_F(Machine, WithoutAnyFilesEveryProcessorIsACore) {
  EXPECT_EQ(cores_of(6), 6);
  EXPECT_EQ(cores_of(0), 1);
  EXPECT_TRUE(std::isinf(cpu_quota(root())));
}

TEST_F(Machine, QuotaOfAContainerWithItsOwnNamespace) {
  second_version("/");
  write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 1.5);
  EXPECT_EQ(cores_of(16), 2);
  EXPECT_EQ(cores_of(1), 1);
}

TEST_F(Machine, TheSmallestQuotaOfAllGroupsAboveCounts) {
  second_version("/kubepods.slice/pod7.slice/box");
  write("/sys/fs/cgroup/kubepods.slice/cpu.max", "800000 100000\n");
  write("/sys/fs/cgroup/kubepods.slice/pod7.slice/cpu.max", "30000 10000\n");
  write("/sys/fs/cgroup/kubepods.slice/pod7.slice/box/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root()), 3.0);
  EXPECT_EQ(cores_of(16), 3);
}

TEST_F(Machine, NoQuotaAndTinyQuota) {
  second_version("/box");
  write("/sys/fs/cgroup/box/cpu.max", "max 100000\n");
  EXPECT_EQ(cores_of(12), 12);
  write("/sys/fs/cgroup/box/cpu.max", "5000 100000\n");
  EXPECT_EQ(cores_of(12), 1);
  write("/sys/fs/cgroup/box/cpu.max", "nonsense");
  EXPECT_EQ(cores_of(12), 12);
}

TEST_F(Machine, QuotaOfAGroupWithABlankInItsName) {
  second_version("/my box/a", "/my\\040box");
  write("/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  EXPECT_EQ(cpu_quota(root()), 2.0);
}

TEST_F(Machine, QuotaOfTheFirstVersion) {
  first_version("/docker/abc", "/docker/abc");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root()), 2.5);
  EXPECT_EQ(cores_of(16), 3);
}

TEST_F(Machine, QuotaOfTheFirstVersionOutsideAContainer) {
  first_version("/user/box", "/");
  write("/sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores_of(16), 16);
  write("/sys/fs/cgroup/cpu,cpuacct/user/box/cpu.cfs_quota_us", "400000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/user/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores_of(16), 4);
}

TEST(PhysicalCores, OfThisMachineIsAtLeastOne) { EXPECT_GE(physical_cores(), 1); }

}  // namespace
}  // namespace crane
