// The calls of Node-API that the threads' tests must not reach: none makes a value.
#include <cstdlib>

#define CRANE_NOT_REACHED(name) \
  void name() { std::abort(); }

extern "C" {
CRANE_NOT_REACHED(napi_async_destroy)
CRANE_NOT_REACHED(napi_call_function)
CRANE_NOT_REACHED(napi_close_callback_scope)
CRANE_NOT_REACHED(napi_close_escapable_handle_scope)
CRANE_NOT_REACHED(napi_create_error)
CRANE_NOT_REACHED(napi_create_object)
CRANE_NOT_REACHED(napi_create_reference)
CRANE_NOT_REACHED(napi_create_type_error)
CRANE_NOT_REACHED(napi_define_properties)
CRANE_NOT_REACHED(napi_delete_reference)
CRANE_NOT_REACHED(napi_escape_handle)
CRANE_NOT_REACHED(napi_fatal_error)
CRANE_NOT_REACHED(napi_get_and_clear_last_exception)
CRANE_NOT_REACHED(napi_get_instance_data)
CRANE_NOT_REACHED(napi_get_last_error_info)
CRANE_NOT_REACHED(napi_get_named_property)
CRANE_NOT_REACHED(napi_get_property)
CRANE_NOT_REACHED(napi_get_reference_value)
CRANE_NOT_REACHED(napi_get_value_string_utf8)
CRANE_NOT_REACHED(napi_has_property)
CRANE_NOT_REACHED(napi_is_exception_pending)
CRANE_NOT_REACHED(napi_open_escapable_handle_scope)
CRANE_NOT_REACHED(napi_set_named_property)
CRANE_NOT_REACHED(napi_throw)
CRANE_NOT_REACHED(napi_typeof)
}
