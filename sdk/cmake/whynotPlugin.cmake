# whynot_add_plugin(NAME SOURCE... [LIBRARIES LIBRARY...] [OUTPUT_DIRECTORY FOLDER] [OPTIONAL])
#
# Builds the plugin NAME.so and its manifest NAME.json: a module that exports whynot_plugin_entry alone, linked with whynot::whynot and
# LIBRARIES. The two lie in LIBDIR/whynot/plugins of the build tree, and are installed there, so that a build tree can be
# used like an installation. With OUTPUT_DIRECTORY they lie in that folder and are not installed. With OPTIONAL they are installed only where
# they were built.
#
# The manifest comes from the library itself, through whynot-describe: a plugin that no host would load fails the build, with the reason.
#
# whynot_add_conformance(NAME [PACK ID|FOLDER] [INPUTS INPUT...] [EXCEPT CHECK...])
#
# Makes each check of `whynot plugins check` on the plugin NAME a test, conformance.NAME.CHECK, with that pack and these inputs instead of
# the first pack found and the plugin's own samples. A check that finds nothing to work on shows as skipped. `include(CTest)`, or
# `enable_testing()`, comes before.
#
# Both work the same in whynot's own tree and behind find_package(whynot).

include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/whynotHardening.cmake)

set(whynot_plugin_version_script ${CMAKE_CURRENT_LIST_DIR}/whynotPlugin.version)
set(whynot_conformance_script ${CMAKE_CURRENT_LIST_DIR}/whynotConformance.cmake)

function(whynot_add_plugin name)
    include(GNUInstallDirs)
    cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIONAL" "OUTPUT_DIRECTORY" "LIBRARIES")
    if(NOT arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "whynot_add_plugin(${name} ...): no source files")
    endif()

    set(folder ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/whynot/plugins)
    if(arg_OUTPUT_DIRECTORY)
        set(folder ${arg_OUTPUT_DIRECTORY})
    endif()

    add_library(${name} MODULE ${arg_UNPARSED_ARGUMENTS})
    target_compile_features(${name} PRIVATE cxx_std_17)
    target_link_libraries(${name} PRIVATE whynot::whynot ${arg_LIBRARIES})
    set_target_properties(${name} PROPERTIES
        PREFIX "" SUFFIX ".so" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LIBRARY_OUTPUT_DIRECTORY ${folder}
        LINK_DEPENDS ${whynot_plugin_version_script})
    whynot_harden(${name})
    if(NOT arg_OUTPUT_DIRECTORY)
        whynot_library_path(${name} ../..)
        if(NOT PROJECT_NAME STREQUAL whynot) # its build tree is not whynot's
            set_property(TARGET ${name} APPEND PROPERTY INSTALL_RPATH $<TARGET_FILE_DIR:whynot::whynot>)
        endif()
    endif()
    target_link_options(${name} PRIVATE "LINKER:--version-script=${whynot_plugin_version_script}")
    # Nothing may be left for the loader to find by luck. The sanitizers' own symbols come from the program, so not with them.
    if(NOT "${WHYNOT_SANITIZE} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize|address|thread|undefined|leak")
        target_link_options(${name} PRIVATE "LINKER:-z,defs")
    endif()

    add_dependencies(${name} whynot::describe)
    add_custom_command(TARGET ${name} POST_BUILD COMMAND whynot::describe $<TARGET_FILE:${name}>
                       COMMENT "Writing the manifest of the plugin ${name}" VERBATIM)

    if(NOT arg_OUTPUT_DIRECTORY)
        set(optional)
        if(arg_OPTIONAL)
            set(optional OPTIONAL)
        endif()
        install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/whynot/plugins ${optional})
        install(FILES ${folder}/${name}.json DESTINATION ${CMAKE_INSTALL_LIBDIR}/whynot/plugins ${optional})
    endif()
endfunction()

function(whynot_add_conformance name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "PACK" "INPUTS;EXCEPT")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "whynot_add_conformance(${name} ...): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(TARGET whynot::program)
        set(program $<TARGET_FILE:whynot::program>)
    else()
        find_program(WHYNOT_PROGRAM whynot REQUIRED)
        set(program ${WHYNOT_PROGRAM})
    endif()
    set(options)
    if(arg_PACK)
        list(APPEND options "--pack=${arg_PACK}")
    endif()
    list(TRANSFORM arg_INPUTS PREPEND "--input=")
    list(APPEND options ${arg_INPUTS})

    # The program knows the checks, so they are listed when ctest runs: then it is built.
    set(tests ${CMAKE_CURRENT_BINARY_DIR}/${name}_conformance.cmake)
    file(GENERATE OUTPUT ${tests} CONTENT "set(name [==[${name}]==])
set(program [==[${program}]==])
set(plugin [==[$<TARGET_FILE:${name}>]==])
set(options [==[${options}]==])
set(except [==[${arg_EXCEPT}]==])
include([==[${whynot_conformance_script}]==])
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${tests})
endfunction()
