// Where the parity fixtures are: $CRANE_PARITY, or the subset in test/parity/data.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "weights/json_scan.h"

namespace crane::weights {

inline std::filesystem::path parity_root() {
  if (const char* root = std::getenv("CRANE_PARITY")) return root;
  return std::filesystem::path(__FILE__).parent_path() / "../../parity/data";
}

// A fixture of the full set may be absent from the subset; a root without any fixture fails the test.
inline bool has_fixture(const std::string& name) {
  EXPECT_TRUE(std::filesystem::exists(parity_root() / "toy"))
      << parity_root() << " holds no fixtures: set CRANE_PARITY to the folder with toy/";
  return std::filesystem::exists(parity_root() / name);
}

inline std::string fixture(const std::string& name) { return (parity_root() / name).string(); }

inline std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline JsonValue fixture_json(const std::string& name) {
  return scan_json(file_text(fixture(name)), "E_INTERNAL", name, {.max_depth = 32, .max_values = 1 << 22});
}

}  // namespace crane::weights
