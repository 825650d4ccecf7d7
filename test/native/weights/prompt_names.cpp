// The engine adds this kind of checkpoint with the methods that read it; here there are no methods.
#include "text/prompt_checkpoint.h"

namespace crane::weights {
namespace {

const bool k_is_added = [] {
  add_checkpoint_kind(text::k_prompt_checkpoint);
  return true;
}();

}  // namespace
}  // namespace crane::weights
