// The names of all opcodes of the pickle format, so that a refused one is named and not just numbered.
#pragma once

#include <cstdint>

namespace crane::weights {

enum PickleOpcode : uint8_t {
  k_op_mark = '(',
  k_op_stop = '.',
  k_op_binfloat = 'G',
  k_op_binint = 'J',
  k_op_binint1 = 'K',
  k_op_binint2 = 'M',
  k_op_none = 'N',
  k_op_binpersid = 'Q',
  k_op_reduce = 'R',
  k_op_binunicode = 'X',
  k_op_empty_list = ']',
  k_op_append = 'a',
  k_op_build = 'b',
  k_op_global = 'c',
  k_op_appends = 'e',
  k_op_binget = 'h',
  k_op_long_binget = 'j',
  k_op_binput = 'q',
  k_op_long_binput = 'r',
  k_op_setitem = 's',
  k_op_tuple = 't',
  k_op_setitems = 'u',
  k_op_empty_dict = '}',
  k_op_empty_tuple = ')',
  k_op_proto = 0x80,
  k_op_newobj = 0x81,
  k_op_tuple1 = 0x85,
  k_op_tuple2 = 0x86,
  k_op_tuple3 = 0x87,
  k_op_newtrue = 0x88,
  k_op_newfalse = 0x89,
  k_op_long1 = 0x8a,
};

// "REDUCE", ...; "unknown" for a byte that is no opcode.
const char* pickle_opcode_name(uint8_t opcode) noexcept;

}  // namespace crane::weights
