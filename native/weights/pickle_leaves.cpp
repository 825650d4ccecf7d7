#include "weights/pickle_leaves.h"

#include <charconv>
#include <unordered_set>

#include "core/error.h"

namespace crane::weights {

namespace {

// Values may be shared, so a small pickle can unfold to a huge tree: all bounds are on the unfolded tree.
constexpr size_t k_max_depth = 64;
constexpr size_t k_max_steps = size_t{1} << 18;
constexpr size_t k_max_name_bytes = 512;  // with the steps, about 150 MB of names at worst

using Kind = PickleValue::Kind;

class LeafWalk {
 public:
  LeafWalk(const Pickle& pickle, const std::string& where, const LeafVisitor& visit)
      : pickle_(pickle), where_(where), visit_(visit) {}

  void walk(PickleId id, const std::string& name, size_t depth) {
    check(depth <= k_max_depth, "nested deeper than ", k_max_depth, " at ", quote_name(name));
    check(++steps_ <= k_max_steps, "more than ", k_max_steps, " values");
    const PickleValue& value = pickle_.at(id);
    switch (value.kind) {
      case Kind::dict:
        return walk_dict(value, name, depth);
      case Kind::list:
      case Kind::tuple:
        for (size_t i = 0; i < value.items.size(); ++i) {
          walk(value.items[i], join(name, std::to_string(i)), depth + 1);
        }
        return;
      case Kind::object:
        for (const PickleId state : value.items) walk(state, name, depth + 1);
        return;
      default:
        return visit_(name, value);
    }
  }

 private:
  template <typename... Parts>
  void check(bool condition, const Parts&... parts) const {
    check_input(condition, "E_WEIGHTS_PICKLE", where_, ": pickle: ", parts...);
  }

  std::string join(const std::string& name, const std::string& part) const {
    std::string joined = name.empty() ? part : name + "." + part;
    check(joined.size() <= k_max_name_bytes, "the name ", quote_name(joined), " is longer than ",
          k_max_name_bytes, " bytes");
    return joined;
  }

  void walk_dict(const PickleValue& dict, const std::string& name, size_t depth) {
    std::unordered_set<std::string> seen;
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue& key = pickle_.at(dict.items[i]);
      check(key.kind == Kind::text || key.kind == Kind::integer, "a key of ", quote_name(name),
            " that is neither a text nor an integer");
      const std::string part = key.kind == Kind::text ? key.text : std::to_string(key.integer);
      const std::string joined = join(name, part);
      check(seen.insert(part).second, "the key ", quote_name(joined), " is there twice");
      walk(dict.items[i + 1], joined, depth + 1);
    }
  }

  const Pickle& pickle_;
  const std::string& where_;
  const LeafVisitor& visit_;
  size_t steps_ = 0;
};

}  // namespace

void visit_leaves(const Pickle& pickle, const std::string& where, const LeafVisitor& visit) {
  LeafWalk(pickle, where, visit).walk(pickle.root, "", 0);
}

std::string leaf_text(const PickleValue& leaf) {
  switch (leaf.kind) {
    case Kind::text:
      return leaf.text;
    case Kind::integer:
      return std::to_string(leaf.integer);
    case Kind::boolean:
      return leaf.integer != 0 ? "true" : "false";
    case Kind::real: {
      char buffer[32];
      const auto result = std::to_chars(buffer, buffer + sizeof buffer, leaf.real);
      return {buffer, result.ptr};
    }
    default:
      return {};
  }
}

}  // namespace crane::weights
