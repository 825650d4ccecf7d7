// The loader addon: opens libtorch's libraries before the engine addon is opened. It links no libtorch, so a
// missing or wrong library is an exception in JavaScript and never the dynamic linker ending the process.
#include <napi.h>

#include <string>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>
#endif

namespace {

#ifndef _WIN32
// While it lives, who opens libraries finds OMP_WAIT_POLICY=passive in the environment, unless the user has
// said how OpenMP's threads shall wait. OpenMP reads its settings once, while it is opened, and its own
// choice is to spin: beside other programs that burns the time its slower half needs.
//
// The environment is exchanged as a whole, by one pointer, and given back: setenv() would move what another
// thread's getenv() is reading, and children would inherit the word.
class PassiveWaiting {
 public:
  PassiveWaiting() {
    for (const char* name : {k_name, "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}) {
      if (std::getenv(name) != nullptr) return;
    }
    // Kept for ever: what was read from it may be held.
    auto* const with_word = new std::vector<char*>;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) with_word->push_back(*entry);
    with_word->push_back(new char[sizeof k_word]);
    std::char_traits<char>::copy(with_word->back(), k_word, sizeof k_word);
    with_word->push_back(nullptr);
    before_ = environ;
    ours_ = with_word->data();
    environ = ours_;
  }
  ~PassiveWaiting() {
    if (ours_ == nullptr) return;
    if (environ == ours_) {
      environ = before_;
    } else {
      unsetenv(k_name);  // another thread has set a variable meanwhile, in a copy of its own
    }
  }
  PassiveWaiting(const PassiveWaiting&) = delete;
  PassiveWaiting& operator=(const PassiveWaiting&) = delete;

 private:
  static constexpr const char* k_name = "OMP_WAIT_POLICY";
  static constexpr char k_word[] = "OMP_WAIT_POLICY=passive";

  char** before_ = nullptr;
  char** ours_ = nullptr;
};
#endif

// Opens one library by absolute path and keeps it for the life of the process: static objects and
// thread-local storage of libtorch do not survive unloading. Returns the system's explanation, empty on
// success.
std::string open_library(const std::string& path) {
#ifdef _WIN32
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  if (LoadLibraryExW(wide.c_str(), nullptr,
                     LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS))
    return {};
  return path + ": LoadLibrary failed with error " + std::to_string(GetLastError());
#else
  // LOCAL: libtorch's symbols stay invisible to other addons. Libraries opened later still find each other,
  // because the dynamic linker matches DT_NEEDED names with the SONAMEs already loaded.
  const PassiveWaiting passive;
  if (void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    // Intel's and LLVM's OpenMP read their settings at their first call.
    if (void* first_call = dlsym(library, "omp_get_max_threads")) reinterpret_cast<int (*)()>(first_call)();
    return {};
  }
  const char* reason = dlerror();
  return reason ? reason : path + ": dlopen failed";
#endif
}

// open(paths: string[]): void. Absolute paths, every library after those it needs. Throws an Error with
// `path`, the library that failed. Blocks while the linker relocates (about a second for a cold
// libtorch_cpu).
void open_all(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsArray())
    throw Napi::TypeError::New(env, "open needs an array of paths");
  const Napi::Array paths = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < paths.Length(); ++i) {
    const Napi::Value item = paths.Get(i);
    if (!item.IsString()) throw Napi::TypeError::New(env, "open needs an array of paths");
    const std::string path = item.As<Napi::String>().Utf8Value();
    const std::string reason = open_library(path);
    if (reason.empty()) continue;
    Napi::Error error = Napi::Error::New(env, reason);
    error.Value().Set("path", path);
    throw error;
  }
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New(env, open_all, "open"));
  return exports;
}

}  // namespace

NODE_API_MODULE(crane_loader, init)
