# CRANE_SANITIZE=address,undefined or thread: everything of ours is compiled with these sanitizers and ends at their
# first finding. For the programs of the tests; an addon built so needs the sanitizer's library preloaded into Node.
set(CRANE_SANITIZE "" CACHE STRING "sanitizers to compile with: address,undefined or thread; empty: none")
if(CRANE_SANITIZE)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${CRANE_SANITIZE}>"
                      "$<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize-recover=all>"
                      "$<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>" "$<$<COMPILE_LANGUAGE:CXX>:-g1>")
  add_link_options("-fsanitize=${CRANE_SANITIZE}")
endif()
