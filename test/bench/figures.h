// Figures of a measuring program as one JSON file.
#pragma once

#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"

namespace crane {

// Objects of JSON, in the order they were added; names hold no quotes.
class Json {
 public:
  void add(const std::string& list, const std::string& object) { lists_[list].push_back(object); }
  void write(const std::string& path, const std::string& head) const {
    std::ofstream out(path);
    out << "{" << head;
    for (const auto& [name, objects] : lists_) {
      out << ",\n \"" << name << "\": [";
      for (size_t i = 0; i < objects.size(); ++i) out << (i == 0 ? "\n  " : ",\n  ") << objects[i];
      out << "]";
    }
    out << "}\n";
  }

 private:
  std::map<std::string, std::vector<std::string>> lists_;
};

inline std::string number(double x) { return std::isfinite(x) ? join_text(x) : "null"; }

}  // namespace crane
