# What makes a fault in code that reads strangers' files stop the program instead of serving somebody: bounds of buffers and of the standard
# library's containers are checked, stacks are guarded, and the tables through which libraries call each other are read-only once loaded.
# For all of this tree, and for the plugins of others (whynot_add_plugin).
#
# Search paths of libraries: absolute or from $ORIGIN. CMake by default pads those of a build tree with ':', and an empty element means
# the current folder: whoever runs the program there would run what lies there. So files are linked as they will be installed.

include_guard(GLOBAL)

set(whynot_hardening_options -fstack-protector-strong)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    list(APPEND whynot_hardening_options -fstack-clash-protection -fcf-protection)
endif()
set(whynot_hardening_definitions _GLIBCXX_ASSERTIONS)
# Fortified functions need an optimiser, and sanitizers do their work better.
if(NOT "${WHYNOT_SANITIZE} ${CMAKE_CXX_FLAGS}" MATCHES "address|thread|undefined|leak|_FORTIFY_SOURCE")
    list(APPEND whynot_hardening_definitions $<$<NOT:$<CONFIG:Debug,>>:_FORTIFY_SOURCE=2>)
endif()
set(whynot_hardening_link_options LINKER:-z,relro,-z,now)

function(whynot_harden target)
    target_compile_options(${target} PRIVATE ${whynot_hardening_options})
    target_compile_definitions(${target} PRIVATE ${whynot_hardening_definitions})
    target_link_options(${target} PRIVATE ${whynot_hardening_link_options})
endfunction()

# Where a file finds our libraries, from the folder that it is in, when built as when installed; others where they were linked.
function(whynot_library_path target path)
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/${path}" INSTALL_RPATH_USE_LINK_PATH ON BUILD_WITH_INSTALL_RPATH ON)
endfunction()
