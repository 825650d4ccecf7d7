#include "weights/pickle.h"

#include <bit>
#include <cstring>

#include "core/error.h"
#include "weights/pickle_opcodes.h"
#include "weights/pickle_tensor.h"
#include "weights/utf8.h"

namespace crane::weights {

namespace {

// A data.pkl of 10,000 tensors takes about 2 MB. Each of a hostile one's values may be made by a few bytes
// that recall others: a million of them take 80 MB, and what they copy is counted on its own.
constexpr size_t k_max_pickle_bytes = size_t{16} << 20;
constexpr size_t k_max_values = size_t{1} << 20;
constexpr size_t k_max_stack = size_t{1} << 20;
constexpr size_t k_max_memo = size_t{1} << 20;
constexpr size_t k_max_global_bytes = 512;
constexpr size_t k_max_copied_bytes = size_t{64} << 20;
constexpr PickleId k_no_value = 0xffffffff;

using Kind = PickleValue::Kind;

class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, PickleDialect dialect, const std::string& where)
      : bytes_(bytes), dialect_(dialect), where_(where) {}

  Pickle read() {
    check(bytes_.size() <= k_max_pickle_bytes, "a pickle of ", bytes_.size(), " bytes, expected at most ",
          k_max_pickle_bytes);
    check(take<uint8_t>() == k_op_proto, "does not begin with PROTO");
    read_protocol();
    while (true) {
      opcode_at_ = at_;
      const auto opcode = take<uint8_t>();
      if (opcode == k_op_stop) break;
      execute(opcode);
    }
    check(stack_.size() == 1 && marks_.empty(), "STOP with ", stack_.size(),
          " values on the stack, expected 1");
    check(at_ == bytes_.size(), bytes_.size() - at_, " bytes behind STOP");
    pickle_.root = stack_.back();
    return std::move(pickle_);
  }

 private:
  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw Error("E_WEIGHTS_PICKLE", join_text(where_, ": pickle, byte ", opcode_at_, ": ", parts...));
  }

  template <typename... Parts>
  void check(bool condition, const Parts&... parts) const {
    if (!condition) fail(parts...);
  }

  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    throw Error(
        "E_WEIGHTS_PICKLE",
        join_text(where_, ": pickle, byte ", opcode_at_, ": ", parts...,
                  " is not allowed; nothing was executed"),
        "only tensors, dictionaries, lists, texts and numbers are read: save torch.save(model.state_dict(), "
        "path) or convert to safetensors");
  }

  // --- bytes ---------------------------------------------------------------------------------------

  std::span<const std::byte> take_bytes(size_t size) {
    check(size <= bytes_.size() - at_, "the pickle ends in the middle of an opcode");
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
  }

  template <typename T>
  T take() {
    T value;
    std::memcpy(&value, take_bytes(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view take_line() {
    const size_t start = at_;
    while (true) {
      check(at_ < bytes_.size(), "the pickle ends inside a name");
      check(at_ - start <= k_max_global_bytes, "a name longer than ", k_max_global_bytes, " bytes");
      if (bytes_[at_++] == std::byte{'\n'}) break;
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + start, at_ - 1 - start};
  }

  // --- stack and memo ------------------------------------------------------------------------------

  PickleId add(PickleValue value) {
    check(pickle_.values.size() < k_max_values, "more than ", k_max_values, " values");
    count_copied(value.text.size());
    pickle_.values.push_back(std::move(value));
    return static_cast<PickleId>(pickle_.values.size() - 1);
  }

  // An object has its class's name again, a tensor its storage's.
  void count_copied(size_t bytes) {
    copied_ += bytes;
    check(copied_ <= k_max_copied_bytes, "more than ", k_max_copied_bytes, " bytes of names and shapes");
  }

  void push_tensor(Kind kind, PickledTensor tensor) {
    count_copied(sizeof tensor + tensor.storage_key.size() +
                 sizeof(int64_t) * (tensor.shape.size() + tensor.strides.size()));
    pickle_.tensors.push_back(std::move(tensor));
    push(kind, static_cast<int64_t>(pickle_.tensors.size() - 1));
  }

  void push(PickleId id) {
    check(stack_.size() < k_max_stack, "a stack deeper than ", k_max_stack);
    stack_.push_back(id);
  }

  void push(Kind kind, int64_t integer = 0) {
    PickleValue value;
    value.kind = kind;
    value.integer = integer;
    push(add(std::move(value)));
  }

  // Values below the last mark belong to somebody else.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleId pop() {
    check(stack_.size() > floor(), "the stack is empty");
    const PickleId id = stack_.back();
    stack_.pop_back();
    return id;
  }

  PickleValue& top() {
    check(stack_.size() > floor(), "the stack is empty");
    return pickle_.values[stack_.back()];
  }

  std::vector<PickleId> pop_to_mark() {
    check(!marks_.empty(), "no mark on the stack");
    const auto first = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  void store(uint32_t slot) {
    top();
    check(slot < k_max_memo, "memo number ", slot, ", expected below ", k_max_memo);
    if (slot >= memo_.size()) memo_.resize(slot + 1, k_no_value);
    memo_[slot] = stack_.back();
  }

  void recall(uint32_t slot) {
    check(slot < memo_.size() && memo_[slot] != k_no_value, "memo number ", slot, " was never stored");
    push(memo_[slot]);
  }

  // --- opcodes -------------------------------------------------------------------------------------

  void read_protocol() {
    const auto protocol = take<uint8_t>();
    if (protocol == 2) return;
    throw Error("E_WEIGHTS_PICKLE", join_text(where_, ": pickle protocol ", int{protocol}, ", expected 2"),
                "save it again with torch.save's own default protocol");
  }

  void push_tuple(size_t size) {
    check(stack_.size() - floor() >= size, "too few values for a tuple of ", size);
    PickleValue tuple;
    tuple.kind = Kind::tuple;
    tuple.items.assign(stack_.end() - static_cast<ptrdiff_t>(size), stack_.end());
    stack_.resize(stack_.size() - size);
    push(add(std::move(tuple)));
  }

  void push_marked_tuple() {
    PickleValue tuple;
    tuple.kind = Kind::tuple;
    tuple.items = pop_to_mark();
    push(add(std::move(tuple)));
  }

  void push_text() {
    const auto size = take<uint32_t>();
    const auto bytes = take_bytes(size);
    PickleValue value;
    value.kind = Kind::text;
    value.text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    check(is_utf8(value.text), "a text that is not valid UTF-8");
    push(add(std::move(value)));
  }

  void push_real() {
    uint64_t bits = 0;
    for (const std::byte byte : take_bytes(8)) bits = (bits << 8) | static_cast<uint64_t>(byte);
    PickleValue value;
    value.kind = Kind::real;
    value.real = std::bit_cast<double>(bits);
    push(add(std::move(value)));
  }

  // Two's complement, little endian, as many bytes as it says.
  void push_long() {
    const auto size = take<uint8_t>();
    check(size <= 8, "an integer of ", int{size}, " bytes, expected at most 8");
    uint64_t bits = 0;
    const auto bytes = take_bytes(size);
    for (size_t i = 0; i < size; ++i) bits |= static_cast<uint64_t>(bytes[i]) << (8 * i);
    if (size > 0 && size < 8 && (bits >> (8 * size - 1)) != 0) bits |= ~uint64_t{0} << (8 * size);
    push(Kind::integer, static_cast<int64_t>(bits));
  }

  void push_global() {
    const std::string module(take_line());
    const std::string name(take_line());
    PickleValue value;
    value.kind = Kind::global;
    value.text = join_text(module, " ", name);
    check(is_utf8(value.text), "a global whose name is not valid UTF-8");
    if (!known_global(value.text, dialect_)) refuse("global ", quote_name(value.text));
    push(add(std::move(value)));
  }

  void push_persistent() { push_tensor(Kind::storage, storage_of(pickle_, pop(), where_)); }

  PickleGlobal pop_global(const std::string& opcode, std::string* name) {
    const PickleValue& value = pickle_.at(pop());
    check(value.kind == Kind::global, opcode, " of something that is not a global");
    *name = value.text;
    return *known_global(value.text, dialect_);
  }

  void reduce() {
    const PickleId arguments_id = pop();
    std::string name;
    const PickleGlobal global = pop_global("REDUCE", &name);
    const PickleValue& arguments = pickle_.at(arguments_id);
    check(arguments.kind == Kind::tuple, "REDUCE without a tuple of arguments");
    switch (global) {
      case PickleGlobal::ordered_dict:
        check(arguments.items.empty(), "OrderedDict with arguments");
        push(Kind::dict);
        return;
      case PickleGlobal::rebuild_tensor:
        return push_tensor(Kind::tensor, tensor_of(pickle_, arguments, where_));
      case PickleGlobal::rebuild_parameter:
        check(arguments.items.size() == 3 && pickle_.at(arguments.items[0]).kind == Kind::tensor,
              "_rebuild_parameter of something that is not a tensor");
        push(arguments.items[0]);
        return;
      case PickleGlobal::typed_list:
        check(arguments.items.size() == 1 && pickle_.at(arguments.items[0]).kind == Kind::list,
              quote_name(name), " of something that is not a list");
        push(arguments.items[0]);
        return;
      case PickleGlobal::type_tag:
        check(arguments.items.size() == 2, "restore_type_tag with ", arguments.items.size(), " arguments");
        push(arguments.items[0]);
        return;
      case PickleGlobal::storage:
      case PickleGlobal::script_class:
        refuse("calling ", quote_name(name));
    }
  }

  void new_object() {
    const PickleValue& arguments = pickle_.at(pop());
    check(arguments.kind == Kind::tuple && arguments.items.empty(), "NEWOBJ with arguments");
    PickleValue object;
    object.kind = Kind::object;
    if (pop_global("NEWOBJ", &object.text) != PickleGlobal::script_class) {
      refuse("an object of ", quote_name(object.text));
    }
    push(add(std::move(object)));
  }

  // The state of an object becomes its only item. An OrderedDict's own state holds the _metadata of a
  // state_dict(), version numbers of modules, which no tensor needs.
  void build() {
    const PickleId state = pop();
    PickleValue& target = top();
    if (target.kind == Kind::dict) return;
    check(target.kind == Kind::object && target.items.empty(), "BUILD of something that is not a new object");
    target.items.push_back(state);
  }

  void append(const std::vector<PickleId>& items) {
    PickleValue& list = top();
    check(list.kind == Kind::list, "APPEND to something that is not a list");
    list.items.insert(list.items.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<PickleId>& items) {
    PickleValue& dict = top();
    check(dict.kind == Kind::dict, "SETITEM of something that is not a dictionary");
    check(items.size() % 2 == 0, "a key without a value");
    dict.items.insert(dict.items.end(), items.begin(), items.end());
  }

  void execute(uint8_t opcode) {
    switch (opcode) {
      case k_op_mark:
        check(marks_.size() < k_max_stack, "more than ", k_max_stack, " marks");
        return marks_.push_back(stack_.size());
      case k_op_none:
        return push(Kind::none);
      case k_op_newtrue:
        return push(Kind::boolean, 1);
      case k_op_newfalse:
        return push(Kind::boolean, 0);
      case k_op_binint:
        return push(Kind::integer, take<int32_t>());
      case k_op_binint1:
        return push(Kind::integer, take<uint8_t>());
      case k_op_binint2:
        return push(Kind::integer, take<uint16_t>());
      case k_op_long1:
        return push_long();
      case k_op_binfloat:
        return push_real();
      case k_op_binunicode:
        return push_text();
      case k_op_empty_list:
        return push(Kind::list);
      case k_op_empty_dict:
        return push(Kind::dict);
      case k_op_empty_tuple:
        return push(Kind::tuple);
      case k_op_tuple1:
        return push_tuple(1);
      case k_op_tuple2:
        return push_tuple(2);
      case k_op_tuple3:
        return push_tuple(3);
      case k_op_tuple:
        return push_marked_tuple();
      case k_op_append:
        return append({pop()});
      case k_op_appends:
        return append(pop_to_mark());
      case k_op_setitem: {
        const PickleId value = pop();
        const PickleId key = pop();
        return set_items({key, value});
      }
      case k_op_setitems:
        return set_items(pop_to_mark());
      case k_op_binput:
        return store(take<uint8_t>());
      case k_op_long_binput:
        return store(take<uint32_t>());
      case k_op_binget:
        return recall(take<uint8_t>());
      case k_op_long_binget:
        return recall(take<uint32_t>());
      case k_op_global:
        return push_global();
      case k_op_binpersid:
        return push_persistent();
      case k_op_reduce:
        return reduce();
      case k_op_newobj:
        return new_object();
      case k_op_build:
        return build();
      default: {
        static constexpr char k_hex[] = "0123456789abcdef";
        refuse("opcode ", pickle_opcode_name(opcode), " (0x", k_hex[opcode >> 4], k_hex[opcode & 15], ")");
      }
    }
  }

  std::span<const std::byte> bytes_;
  PickleDialect dialect_;
  const std::string& where_;
  size_t at_ = 0;
  size_t opcode_at_ = 0;
  size_t copied_ = 0;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  std::vector<PickleId> memo_;
};

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, PickleDialect dialect, const std::string& where) {
  return Unpickler(bytes, dialect, where).read();
}

}  // namespace crane::weights
