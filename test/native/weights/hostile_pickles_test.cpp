// Pickles that run code in Python's unpickler. Here each is refused by name and nothing runs: what they would
// do is make a file. CRANE_FIRE_PICKLES names a folder into which they are written, for Python to show that
// they are real (test/fire/hostile_pickles.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "error_of.h"
#include "forged_files.h"
#include "scratch_folder.h"
#include "weights/name_map.h"
#include "weights/structure.h"

namespace crane::weights {
namespace {

struct Hostile {
  std::string name;
  std::string pickle;
};

std::string tuple_of(const std::vector<std::string>& values) {
  std::string tuple = "(";
  for (const std::string& value : values) tuple += value;
  return tuple + "t";
}

std::string line_of(const std::string& text) { return "S'" + text + "'\n"; }

// What makes the file `canary`, by every function that takes a command, a program or a path.
std::vector<std::pair<std::pair<std::string, std::string>, std::vector<std::string>>> calls(
    const std::string& canary) {
  const std::string command = op::text("touch '" + canary + "'");
  const std::string python = op::text("open(" + ("'" + canary + "'") + ", 'w').close()");
  const std::string path = op::text(canary);
  const std::string words = "]" + op::text("touch") + "a" + path + "a";
  return {
      {{"os", "system"}, {command}},
      {{"posix", "system"}, {command}},
      {{"os", "popen"}, {command}},
      {{"subprocess", "getoutput"}, {command}},
      {{"subprocess", "getstatusoutput"}, {command}},
      {{"subprocess", "call"}, {words}},
      {{"subprocess", "check_call"}, {words}},
      {{"subprocess", "check_output"}, {words}},
      {{"subprocess", "run"}, {words}},
      {{"subprocess", "Popen"}, {words}},
      {{"builtins", "exec"}, {python}},
      {{"builtins", "eval"}, {python}},
      {{"builtins", "open"}, {path, op::text("w")}},
      {{"io", "open"}, {path, op::text("w")}},
      {{"codecs", "open"}, {path, op::text("w")}},
      {{"io", "FileIO"}, {path, op::text("w")}},
      {{"os", "mkdir"}, {path}},
      {{"posix", "mkdir"}, {path}},
      {{"os", "makedirs"}, {path}},
      {{"os", "mkfifo"}, {path}},
      {{"os", "mknod"}, {path}},
      {{"timeit", "timeit"}, {python}},
      {{"code", "interact"}, {}},
      {{"pty", "spawn"}, {words}},
      {{"os", "symlink"}, {op::text("/dev/null"), path}},
      {{"shutil", "copyfile"}, {op::text("/proc/self/cmdline"), path}},
      {{"cProfile", "run"}, {python}},
      {{"pdb", "run"}, {python}},
  };
}

std::vector<Hostile> hostile_pickles(const std::string& folder) {
  std::vector<Hostile> all;
  for (const auto& [function, arguments] : calls(folder + "/canary")) {
    const auto& [module, name] = function;
    const std::string title = module + "." + name;
    const std::string global = op::global(module, name);
    std::string values;
    for (const std::string& argument : arguments) values += argument;
    all.push_back({title + " REDUCE", op::proto() + global + tuple_of(arguments) + "R."});
    all.push_back({title + " REDUCE in a dictionary",
                   op::proto() + "}(" + op::text("w") + global + tuple_of(arguments) + "Ru."});
    all.push_back({title + " INST", "(" + values + "i" + module + "\n" + name + "\n."});
    all.push_back({title + " OBJ", op::proto() + "(" + global + values + "o."});
    all.push_back({title + " STACK_GLOBAL", std::string("\x80\x04") + op::text(module) + op::text(name) +
                                                "\x93" + tuple_of(arguments) + "R."});
    all.push_back({title + " by BUILD", op::proto() + op::global("collections", "OrderedDict") + ")R}" +
                                            op::text("x") + global + tuple_of(arguments) + "Rsb."});
  }
  return all;
}

// A file of torch.save and a TorchScript archive with it as their pickle, and the bare pickle.
std::vector<std::string> files_of(const std::string& pickle) {
  ForgedZip saved = forge_small_torch_zip();
  saved.members[0].data = pickle;
  ForgedZip script = forge_small_torchscript();
  script.members[0].data = pickle;
  ForgedZip constants = forge_small_torchscript();
  constants.members[3].data = pickle;
  return {saved.bytes(), script.bytes(), pickle, constants.bytes()};
}

TEST(HostilePickles, NothingIsRun) {
  const ScratchFolder scratch;
  const std::string canary = scratch.file("canary");
  const auto pickles = hostile_pickles(scratch.file("."));
  EXPECT_GE(pickles.size(), 100u);
  const char* kept = std::getenv("CRANE_FIRE_PICKLES");
  size_t files = 0;
  for (const Hostile& hostile : pickles) {
    const auto made = files_of(hostile.pickle);
    for (size_t i = 0; i < made.size(); ++i) {
      const Thrown thrown = thrown_by([&] {
        const auto file = open_bytes(made[i]);
        file->verify_checksums();
        check_structure(canonicalise({file}));
      });
      // A bare pickle is no weight file; the constants of code are never looked at, so that only the names
      // are strange.
      const std::vector<std::string> expected = {"E_WEIGHTS_PICKLE", "E_WEIGHTS_PICKLE",
                                                 "E_WEIGHTS_CONTAINER", "E_WEIGHTS_NAMING"};
      EXPECT_EQ(thrown.code, expected[i]) << hostile.name << ": " << thrown.message;
      ++files;
    }
    ASSERT_FALSE(std::filesystem::exists(canary)) << hostile.name;
  }
  if (kept != nullptr) {
    const auto real = hostile_pickles(kept);
    for (size_t i = 0; i < real.size(); ++i) {
      std::ofstream(std::string(kept) + "/" + std::to_string(i) + ".pkl", std::ios::binary) << real[i].pickle;
    }
  }
  std::printf("%zu pickles in %zu files, nothing was run\n", pickles.size(), files);
}

}  // namespace
}  // namespace crane::weights
