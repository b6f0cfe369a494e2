# A stranger's plugin: whynot installed, moved, and built against, as docs/plugins.md says.
add_test(NAME install.stranger COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install/stranger ${CMAKE_BINARY_DIR} ${CMAKE_INSTALL_LIBDIR})
set(stranger_flags "")
if(WHYNOT_SANITIZE)
    set(stranger_flags "CXXFLAGS=-fsanitize=${WHYNOT_SANITIZE}") # as the library, or its stamp would differ
endif()
set_tests_properties(install.stranger PROPERTIES LABELS install TIMEOUT 600 ENVIRONMENT "OMP_NUM_THREADS=1;${stranger_flags}")
