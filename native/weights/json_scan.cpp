#include "weights/json_scan.h"

#include <charconv>
#include <unordered_set>

#include "core/error.h"
#include "weights/tensor_view.h"
#include "weights/utf8.h"

namespace crane::weights {

namespace {

class JsonScanner {
 public:
  JsonScanner(std::string_view text, const char* code, const std::string& where, JsonLimits limits)
      : text_(text), code_(code), where_(where), limits_(limits) {}

  JsonValue scan() {
    if (!is_utf8(text_)) fail("the text is not valid UTF-8");
    JsonValue value = scan_value(0);
    skip_space();
    if (at_ != text_.size()) fail("more text after the end of the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(code_, join_text(where_, ": JSON, byte ", at_, ": ", what));
  }

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_space() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }

  void expect(char c) {
    if (at_end()) fail(join_text("the text ends where '", c, "' is expected"));
    if (peek() != c) fail(join_text("expected '", c, "'"));
    ++at_;
  }

  bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }

  JsonValue scan_value(size_t depth) {
    if (depth > limits_.max_depth) fail(join_text("nested deeper than ", limits_.max_depth));
    if (++values_ > limits_.max_values) fail(join_text("more than ", limits_.max_values, " values"));
    skip_space();
    if (at_end()) fail("the text ends where a value is expected");
    switch (peek()) {
      case '{':
        return scan_object(depth);
      case '[':
        return scan_array(depth);
      case '"': {
        JsonValue value;
        value.kind = JsonValue::Kind::string;
        value.text = scan_string();
        return value;
      }
      case 't':
        return scan_word("true", JsonValue::Kind::boolean, true);
      case 'f':
        return scan_word("false", JsonValue::Kind::boolean, false);
      case 'n':
        return scan_word("null", JsonValue::Kind::null, false);
      default:
        return scan_number();
    }
  }

  JsonValue scan_object(size_t depth) {
    JsonValue value;
    value.kind = JsonValue::Kind::object;
    expect('{');
    skip_space();
    if (take('}')) return value;
    std::unordered_set<std::string> seen;
    do {
      skip_space();
      std::string key = scan_string();
      if (!seen.insert(key).second) fail(join_text("the key ", quote_name(key), " is there twice"));
      skip_space();
      expect(':');
      JsonValue member = scan_value(depth + 1);
      value.members.emplace_back(std::move(key), std::move(member));
      skip_space();
    } while (take(','));
    expect('}');
    return value;
  }

  JsonValue scan_array(size_t depth) {
    JsonValue value;
    value.kind = JsonValue::Kind::array;
    expect('[');
    skip_space();
    if (take(']')) return value;
    do {
      value.items.push_back(scan_value(depth + 1));
      skip_space();
    } while (take(','));
    expect(']');
    return value;
  }

  JsonValue scan_word(std::string_view word, JsonValue::Kind kind, bool boolean) {
    if (text_.substr(at_, word.size()) != word) fail("not a JSON value");
    at_ += word.size();
    JsonValue value;
    value.kind = kind;
    value.boolean = boolean;
    return value;
  }

  void scan_digits() {
    if (peek() < '0' || peek() > '9') fail("expected a digit");
    while (peek() >= '0' && peek() <= '9') ++at_;
  }

  JsonValue scan_number() {
    const size_t start = at_;
    take('-');
    if (!take('0')) {
      if (peek() < '1' || peek() > '9') fail("not a JSON value");
      scan_digits();
    }
    if (take('.')) scan_digits();
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      scan_digits();
    }
    JsonValue value;
    value.kind = JsonValue::Kind::number;
    value.text = text_.substr(start, at_ - start);
    return value;
  }

  uint32_t scan_hex4() {
    uint32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<uint32_t>(c - 'A' + 10);
      } else {
        fail("\\u needs four hexadecimal digits");
      }
      unit = unit * 16 + digit;
      ++at_;
    }
    return unit;
  }

  void append_escape(std::string& out) {
    uint32_t point = scan_hex4();
    if (point >= 0xdc00 && point <= 0xdfff) fail("a lone low surrogate");
    if (point >= 0xd800 && point <= 0xdbff) {
      if (!take('\\') || !take('u')) fail("a lone high surrogate");
      const uint32_t low = scan_hex4();
      if (low < 0xdc00 || low > 0xdfff) fail("a lone high surrogate");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xc0 | (point >> 6));
      out += static_cast<char>(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      out += static_cast<char>(0xe0 | (point >> 12));
      out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (point & 0x3f));
    } else {
      out += static_cast<char>(0xf0 | (point >> 18));
      out += static_cast<char>(0x80 | ((point >> 12) & 0x3f));
      out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
      out += static_cast<char>(0x80 | (point & 0x3f));
    }
  }

  std::string scan_string() {
    expect('"');
    std::string out;
    while (true) {
      if (at_end()) fail("a string without its end");
      const char c = text_[at_];
      if (static_cast<uint8_t>(c) < 0x20) fail("a control character inside a string");
      ++at_;
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_end()) fail("a string without its end");
      const char escaped = text_[at_++];
      switch (escaped) {
        case '"':
        case '\\':
        case '/':
          out += escaped;
          break;
        case 'b':
          out += '\b';
          break;
        case 'f':
          out += '\f';
          break;
        case 'n':
          out += '\n';
          break;
        case 'r':
          out += '\r';
          break;
        case 't':
          out += '\t';
          break;
        case 'u':
          append_escape(out);
          break;
        default:
          --at_;
          fail("an unknown escape in a string");
      }
    }
  }

  std::string_view text_;
  const char* code_;
  const std::string& where_;
  JsonLimits limits_;
  size_t at_ = 0;
  size_t values_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<int64_t> JsonValue::as_integer() const {
  if (kind != Kind::number) return std::nullopt;
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> JsonValue::as_double() const {
  if (kind != Kind::number) return std::nullopt;
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

JsonValue scan_json(std::string_view text, const char* code, const std::string& where, JsonLimits limits) {
  return JsonScanner(text, code, where, limits).scan();
}

}  // namespace crane::weights
