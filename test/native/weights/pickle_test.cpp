#include "weights/pickle.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "error_of.h"
#include "forged_files.h"
#include "scratch_folder.h"

namespace crane::weights {
namespace {

using Kind = PickleValue::Kind;

Pickle read(const std::string& bytes, PickleDialect dialect = PickleDialect::torch_save) {
  return read_pickle(std::as_bytes(std::span(bytes)), dialect, "t.pth");
}

Thrown refusal(const std::string& body, PickleDialect dialect = PickleDialect::torch_save) {
  return thrown_by([&] { read(op::proto() + body + ".", dialect); });
}

const PickleValue root_of(const std::string& body) {
  const Pickle pickle = read(op::proto() + body + ".");
  return pickle.at(pickle.root);
}

TEST(Pickle, ReadsNumbersTextsAndContainers) {
  EXPECT_EQ(root_of("K\x07").integer, 7);
  EXPECT_EQ(root_of(std::string("M\x00\x01", 3)).integer, 256);
  EXPECT_EQ(root_of(op::integer(-5)).integer, -5);
  EXPECT_EQ(root_of(std::string("\x8a\x00", 2)).integer, 0);
  EXPECT_EQ(root_of("\x8a\x01\xff").integer, -1);
  EXPECT_EQ(root_of(std::string("\x8a\x02\xff\x00", 4)).integer, 255);
  EXPECT_EQ(root_of("\x8a\x08" + le<int64_t>(INT64_MIN)).integer, INT64_MIN);
  EXPECT_EQ(root_of(std::string("G\xbf\xf8\0\0\0\0\0\0", 9)).real, -1.5);
  EXPECT_EQ(root_of("\x88").integer, 1);
  EXPECT_EQ(root_of("N").kind, Kind::none);
  EXPECT_EQ(root_of(op::text("h\xc3\xa9")).text, "h\xc3\xa9");
  EXPECT_EQ(root_of("](K\x01K\x02"
                    "eK\x03"
                    "a")
                .items.size(),
            3u);
  EXPECT_EQ(root_of("}X\x01" + std::string("\0\0\0", 3) + "aK\x01s").items.size(), 2u);
  EXPECT_EQ(root_of("K\x01K\x02K\x03\x87").items.size(), 3u);
  EXPECT_EQ(root_of(op::global("collections", "OrderedDict") + ")R").kind, Kind::dict);
}

TEST(Pickle, TheMemoGivesBackTheSameValue) {
  const Pickle pickle =
      read(op::proto() + "]q\x05h\x05r" + le<uint32_t>(70000) + "j" + le<uint32_t>(70000) + "\x87.");
  const PickleValue& tuple = pickle.at(pickle.root);
  ASSERT_EQ(tuple.items.size(), 3u);
  EXPECT_EQ(tuple.items[0], tuple.items[2]);
}

TEST(Pickle, DescribesATensor) {
  const Pickle pickle =
      read(op::proto() + op::tensor(op::storage("HalfStorage", "12", 9, "cuda:0"), 2, {2, 3}, {3, 1}) + ".");
  ASSERT_EQ(pickle.at(pickle.root).kind, Kind::tensor);
  const PickledTensor& tensor = pickle.tensors[static_cast<size_t>(pickle.at(pickle.root).integer)];
  EXPECT_EQ(tensor.dtype, DType::f16);
  EXPECT_EQ(tensor.storage_key, "12");
  EXPECT_EQ(tensor.storage_numel, 9);
  EXPECT_EQ(tensor.offset, 2);
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensor.strides, (std::vector<int64_t>{3, 1}));
}

TEST(Pickle, EveryForeignGlobalIsRefusedByName) {
  const std::pair<const char*, const char*> globals[] = {
      {"os", "system"},
      {"posix", "system"},
      {"nt", "system"},
      {"subprocess", "Popen"},
      {"subprocess", "call"},
      {"builtins", "eval"},
      {"builtins", "exec"},
      {"builtins", "__import__"},
      {"builtins", "getattr"},
      {"__builtin__", "eval"},
      {"builtins", "open"},
      {"builtins", "set"},
      {"sys", "exit"},
      {"shutil", "rmtree"},
      {"socket", "create_connection"},
      {"webbrowser", "open"},
      {"importlib", "import_module"},
      {"runpy", "run_path"},
      {"pickle", "loads"},
      {"marshal", "loads"},
      {"types", "FunctionType"},
      {"functools", "partial"},
      {"operator", "attrgetter"},
      {"copyreg", "_reconstructor"},
      {"numpy.core.multiarray", "_reconstruct"},
      {"numpy", "dtype"},
      {"torch", "load"},
      {"torch.hub", "load"},
      {"torch.serialization", "load"},
      {"torch", "float32"},
      {"torch", "Size"},
      {"torch._utils", "_rebuild_tensor"},
      {"torch._utils", "_rebuild_sparse_tensor"},
      {"torch._utils", "_rebuild_device_tensor_from_numpy"},
      {"torch._tensor", "_rebuild_from_type_v2"},
      {"torch.jit", "load"},
      {"torch.jit._pickle", "build_intlist"},
      {"__torch__", "Model"},
      {"collections", "OrderedDict.__init__"},
      {"collections", "defaultdict"},
      {"collections.abc", "OrderedDict"},
      {"torch.nn.modules.linear", "Linear"},
      {"__main__", "Model"},
      {"argparse", "Namespace"},
      {"pathlib", "PosixPath"},
      {"codecs", "encode"},
      {"_codecs", "encode"},
      {"", ""},
      {"os\nsystem", ""},
      {"torch.FloatStorage", "x"},
  };
  int refused = 0;
  for (const auto& [module, name] : globals) {
    const Thrown thrown = refusal(op::global(module, name) + "(" + op::text("touch canary") + "tR");
    EXPECT_EQ(thrown.code, "E_WEIGHTS_PICKLE") << module << " " << name;
    if (std::string(module).find('\n') == std::string::npos) {
      EXPECT_TRUE(contains(thrown.message, std::string("global \"") + module + " " + name + "\""))
          << thrown.message;
    }
    ++refused;
  }
  std::printf("%d globals refused by name\n", refused);
}

TEST(Pickle, AHostilePickleExecutesNothing) {
  const ScratchFolder folder;
  const std::string canary = folder.file("canary");
  const std::string command = "touch " + canary;
  const std::string code = "open('" + canary + "','w')";
  const std::string bodies[] = {
      op::global("os", "system") + "(" + op::text(command) + "tR",
      op::global("posix", "system") + op::text(command) + "\x85R",
      op::global("builtins", "exec") + op::text(code) + "\x85R",
      "(S'" + command + "'\nios\nsystem\n",          // INST
      "(cos\nsystem\nS'" + command + "'\no",         // OBJ
      op::text("os") + op::text("system") + "\x93",  // STACK_GLOBAL
      "\x82\x01",
      "\x83\x01\x01",
      "\x84\x01\x01\x01\x01",  // EXT1, EXT2, EXT4
      op::global("collections", "OrderedDict") + ")R}" + op::text("__setstate__") +
          op::global("os", "system") + "sb",
      op::global("torch._utils", "_rebuild_tensor_v2") + "(" + op::global("os", "system") + "tR",
      op::dict({{"w", op::global("os", "system") + op::text(command) + "\x85R"}}),
  };
  for (const PickleDialect dialect : {PickleDialect::torch_save, PickleDialect::torchscript}) {
    for (const std::string& body : bodies) {
      EXPECT_EQ(refusal(body, dialect).code, "E_WEIGHTS_PICKLE") << body;
    }
  }
  EXPECT_FALSE(std::filesystem::exists(canary));
}

TEST(Pickle, EveryOpcodeThatIsNotOnTheListIsRefusedByName) {
  const std::string allowed = "(.GJKMNQRX]abcehjqrst})u\x81\x85\x86\x87\x88\x89\x8a";
  int refused = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const char opcode = static_cast<char>(byte);
    if (allowed.find(opcode) != std::string::npos) continue;
    const Thrown thrown = refusal(std::string("N") + opcode + std::string(16, '\0'));
    EXPECT_EQ(thrown.code, "E_WEIGHTS_PICKLE") << byte;
    EXPECT_TRUE(contains(thrown.message, "opcode ")) << thrown.message;
    ++refused;
  }
  EXPECT_TRUE(contains(refusal("N0").message, "opcode POP (0x30)"));
  EXPECT_TRUE(contains(refusal("N\x93").message, "opcode STACK_GLOBAL (0x93)"));
  std::printf("%d of 256 opcodes refused\n", refused);
}

TEST(Pickle, DamageIsRefused) {
  const std::string ordered = op::global("collections", "OrderedDict");
  const std::string rebuild = op::global("torch._utils", "_rebuild_tensor_v2");
  const std::string store = op::storage("FloatStorage", "0", 4);
  const std::pair<const char*, std::string> damages[] = {
      {"nothing on the stack", ""},
      {"two values on the stack", "NN"},
      {"an open mark", "(N"},
      {"text behind STOP", "N.N"},
      {"SETITEM without key", "}Ns"},
      {"SETITEM on a list", "]NNs"},
      {"SETITEMS with a lone key", "}(Nu"},
      {"SETITEMS without mark", "}NNu"},
      {"APPEND to a dictionary", "}Na"},
      {"APPENDS without mark", "]Ne"},
      {"TUPLE without mark", "Nt"},
      {"TUPLE2 of one", "N\x86"},
      {"TUPLE1 across a mark", "N(\x85"},
      {"pop across a mark", "](a"},
      {"BINGET of nothing", "h\x01"},
      {"BINGET between what was stored", "Nq\x05h\x03\x86"},
      {"APPEND across a mark", "]N(at"},
      {"LONG_BINGET of nothing", "j" + le<uint32_t>(0xffffffff)},
      {"BINPUT of nothing", "q\x01"},
      {"LONG_BINPUT far away", "Nr" + le<uint32_t>(0xffffffff)},
      {"REDUCE of a number", "K\x01)R"},
      {"REDUCE without tuple", ordered + "NR"},
      {"OrderedDict with arguments", ordered + "]\x85R"},
      {"REDUCE of a storage class", op::global("torch", "FloatStorage") + ")R"},
      {"NEWOBJ of OrderedDict", ordered + ")\x81"},
      {"NEWOBJ of a number", "K\x01)\x81"},
      {"BUILD of a list", "]}b"},
      {"BUILD of a number", "K\x01}b"},
      {"BINPERSID of a number", "K\x01Q"},
      {"BINPERSID of nothing", "Q"},
      {"persistent id too short", "(" + op::text("storage") + "tQ"},
      {"persistent id of a module", "(" + op::text("module") + op::global("torch", "FloatStorage") +
                                        op::text("0") + op::text("cpu") + op::integer(4) + "tQ"},
      {"storage of no class",
       "(" + op::text("storage") + ordered + op::text("0") + op::text("cpu") + op::integer(4) + "tQ"},
      {"storage of negative size", op::storage("FloatStorage", "0", -1)},
      {"storage without key", op::storage("FloatStorage", "", 4)},
      {"storage with an endless key", op::storage("FloatStorage", std::string(65, '0'), 4)},
      {"tensor without arguments", rebuild + ")R"},
      {"tensor of a number", rebuild + "(" + op::integer(1) + op::integer(0) + "))\x89" + ordered + ")RtR"},
      {"tensor of negative offset", op::tensor(store, -1, {4}, {1})},
      {"tensor of negative size", op::tensor(store, 0, {-4}, {1})},
      {"tensor of negative stride", op::tensor(store, 0, {4}, {-1})},
      {"tensor whose shape is a list", rebuild + "(" + store + op::integer(0) + "])\x89" + ordered + ")RtR"},
      {"parameter of a number",
       op::global("torch._utils", "_rebuild_parameter") + "(K\x01\x89" + ordered + ")RtR"},
      {"a text that is not UTF-8", op::text("\xff")},
      {"a text longer than the pickle", "X" + le<uint32_t>(0xffffffff) + "a"},
      {"an integer of nine bytes", "\x8a\x09" + std::string(9, '\1')},
      {"a global without end", "ccollections"},
      {"a global with an endless name", op::global("collections", std::string(600, 'x'))},
  };
  for (const auto& [what, body] : damages) EXPECT_EQ(refusal(body).code, "E_WEIGHTS_PICKLE") << what;
  EXPECT_EQ(refusal(op::tensor(store, 0, {4}, {1, 1})).code, "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal(op::tensor(store, 0, std::vector<int32_t>(17, 1), std::vector<int32_t>(17, 1))).code,
            "E_WEIGHTS_SHAPE");
  EXPECT_EQ(refusal(op::storage("ComplexFloatStorage", "0", 4)).code, "E_WEIGHTS_DTYPE");
  std::printf("%zu damaged pickles refused\n", std::size(damages) + 3);
}

TEST(Pickle, OtherProtocolsAreRefusedWithAHint) {
  for (const char protocol : {0, 1, 3, 4, 5, -1}) {
    const Thrown thrown = thrown_by([&] { read(std::string("\x80") + protocol + "N."); });
    EXPECT_EQ(thrown.code, "E_WEIGHTS_PICKLE");
    EXPECT_FALSE(thrown.hint.empty());
  }
  EXPECT_EQ(thrown_by([] { read("N."); }).code, "E_WEIGHTS_PICKLE");
  EXPECT_EQ(thrown_by([] { read(""); }).code, "E_WEIGHTS_PICKLE");
}

TEST(Pickle, SizesAreBounded) {
  const auto bound = [](const std::string& body, const char* message) {
    const Thrown thrown = refusal(body);
    EXPECT_EQ(thrown.code, "E_WEIGHTS_PICKLE");
    EXPECT_TRUE(contains(thrown.message, message)) << thrown.message;
  };
  bound(std::string((1 << 20) + 1, ']'), "more than 1048576 values");
  bound(std::string((1 << 20) + 1, '('), "more than 1048576 marks");
  std::string recalls = "]q\x01";
  for (int i = 0; i < (1 << 20) + 1; ++i) recalls += "h\x01";
  bound(recalls, "a stack deeper than 1048576");
  bound(std::string(17 << 20, 'N'), "expected at most 16777216");
  // What is recalled makes tensors and objects of a few bytes each, that copy shapes and names of hundreds.
  const char* copied = "more than 67108864 bytes of names and shapes";
  const std::string global = op::global("torch._utils", "_rebuild_tensor_v2");
  const std::vector<int32_t> ones(16, 1);
  std::string tensors = op::tensor(op::storage("FloatStorage", "0", 4), 0, ones, ones);
  tensors.insert(tensors.size() - 1, "q\x02").insert(global.size(), "q\x01");
  EXPECT_EQ(refusal(tensors + "h\x01h\x02R\x86").code, "");
  for (int i = 0; i < 200'000; ++i) tensors += "h\x01h\x02R";
  bound(tensors, copied);
  std::string objects = op::global("__torch__", std::string(500, 'A')) + "q\x01";
  for (int i = 0; i < 150'000; ++i) objects += "h\x01)\x81";
  const Thrown thrown = refusal(objects, PickleDialect::torchscript);
  EXPECT_EQ(thrown.code, "E_WEIGHTS_PICKLE");
  EXPECT_TRUE(contains(thrown.message, copied)) << thrown.message;
}

}  // namespace
}  // namespace crane::weights
