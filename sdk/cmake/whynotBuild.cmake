# How everything in this tree is compiled: standard, warnings, sanitizers, compiler cache, output folders.

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

# The build tree is laid out like an installation, so that programs find libraries, plugins and packs by the same rules.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR})

set(WHYNOT_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")
if(WHYNOT_SANITIZE)
    # GCC 12 takes parts of <regex> for uninitialised once it has put the sanitizers' checks into them.
    add_compile_options(-fsanitize=${WHYNOT_SANITIZE} -fno-omit-frame-pointer -Wno-maybe-uninitialized)
    add_link_options(-fsanitize=${WHYNOT_SANITIZE})
endif()

include(whynotHardening)
add_compile_options(${whynot_hardening_options})
add_compile_definitions(${whynot_hardening_definitions})
add_link_options(${whynot_hardening_link_options})

# ccache understands a precompiled header only if GCC marks its use in the preprocessed text and macros such as __TIME__ are let go.
find_program(WHYNOT_CCACHE ccache)
if(WHYNOT_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
                                    ${WHYNOT_CCACHE})
    add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
endif()

# Our own targets only: what other people's headers do is not ours to warn about.
function(whynot_warnings target)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Werror>)
    # GCC 14 inlines vector<bool> from LibTorch's headers into our code and then warns, wrongly, of what it does there.
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 14)
        target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds -Wno-stringop-overflow>)
    endif()
endfunction()

# The packs in the folder packs/ of a plugin: in the build tree where an installation has them, so that the program finds them there too.
function(whynot_ship_packs)
    file(GLOB packs RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/packs packs/*)
    foreach(pack ${packs})
        file(GLOB pack_files CONFIGURE_DEPENDS packs/${pack}/*)
        file(COPY ${pack_files} DESTINATION ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_DATADIR}/whynot/packs/${pack})
        install(FILES ${pack_files} DESTINATION ${CMAKE_INSTALL_DATADIR}/whynot/packs/${pack})
    endforeach()
endfunction()

find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost 1.74 CONFIG REQUIRED)

find_package(Torch REQUIRED)
include(whynotTorch)

# LibTorch's headers, compiled once for all: they take a quarter of a minute and 300 MB. They are used only where they were compiled with the same
# options, so all that use them are compiled for OpenMP, which at::parallel_for needs in order to run in parallel.
find_package(OpenMP REQUIRED COMPONENTS CXX)
file(WRITE ${CMAKE_BINARY_DIR}/torch_headers.cpp.new "")
file(COPY_FILE ${CMAKE_BINARY_DIR}/torch_headers.cpp.new ${CMAKE_BINARY_DIR}/torch_headers.cpp ONLY_IF_DIFFERENT)
add_library(whynot_torch_headers OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/torch_headers.cpp)
target_link_libraries(whynot_torch_headers PRIVATE whynot::torch OpenMP::OpenMP_CXX nlohmann_json::nlohmann_json)
target_precompile_headers(whynot_torch_headers PRIVATE <ATen/ATen.h> <nlohmann/json.hpp>)
whynot_warnings(whynot_torch_headers)

function(whynot_precompiled_torch target)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
    target_compile_options(${target} PRIVATE -fPIC)  # programs too, which CMake would compile with -fPIE
    target_precompile_headers(${target} REUSE_FROM whynot_torch_headers)
endfunction()
