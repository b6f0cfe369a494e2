# Finds the static SentencePiece that tools/build-sentencepiece makes, and defines the target whynot_sentencepiece.
#
# Static, because Debian's shared library brings a second protobuf into the process and crashes beside LibTorch
# (tools/build-sentencepiece tells the story).
#
# Looked for, in this order:
#   whynot_SENTENCEPIECE_ROOT    CMake variable: a folder with lib/ and include/
#   WHYNOT_SENTENCEPIECE_ROOT    environment variable, the same
#   the places that tools/build-sentencepiece writes to, each with its newest version first

set(whynot_SENTENCEPIECE_ROOT "$ENV{WHYNOT_SENTENCEPIECE_ROOT}" CACHE PATH
    "Folder with lib/libsentencepiece.a and include/; empty: the one that tools/build-sentencepiece made")

if(TARGET whynot_sentencepiece)
    set(SentencePieceStatic_FOUND TRUE)
    return()
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
# The full library, not protobuf-lite: it is the one LibTorch loads, and one copy a process is the point of all this.
pkg_check_modules(whynot_protobuf REQUIRED IMPORTED_TARGET GLOBAL protobuf)

set(_roots "${whynot_SENTENCEPIECE_ROOT}")
if(NOT _roots)
    set(_places "${CMAKE_SOURCE_DIR}/build/.cache/whynot")
    if(NOT "$ENV{HOME}" STREQUAL "")
        list(PREPEND _places "$ENV{HOME}/.cache/whynot")
    endif()
    if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
        list(PREPEND _places "$ENV{XDG_CACHE_HOME}/whynot")
    endif()
    if(NOT "$ENV{WHYNOT_CACHE}" STREQUAL "")
        list(PREPEND _places "$ENV{WHYNOT_CACHE}")
    endif()
    foreach(_place IN LISTS _places)
        # The name ends with what the libraries were built for: the machine and its protobuf, and how.
        file(GLOB _found "${_place}/sentencepiece-*-${CMAKE_LIBRARY_ARCHITECTURE}-protobuf${whynot_protobuf_VERSION}-hardened")
        list(SORT _found COMPARE NATURAL ORDER DESCENDING)
        list(APPEND _roots ${_found})
    endforeach()
endif()

# The first folder that has everything. Not kept in CMake's cache, so that a new build is seen at the next run.
set(SentencePieceStatic_FOUND FALSE)
foreach(_candidate IN LISTS _roots)
    set(_root "${_candidate}")
    if(EXISTS "${_root}/lib/libsentencepiece.a" AND EXISTS "${_root}/lib/libsentencepiece_train.a"
            AND EXISTS "${_root}/include/sentencepiece_processor.h" AND EXISTS "${_root}/include/sentencepiece_trainer.h")
        set(SentencePieceStatic_FOUND TRUE)
        break()
    endif()
endforeach()

if(NOT SentencePieceStatic_FOUND)
    if(SentencePieceStatic_FIND_REQUIRED)
        list(JOIN _roots "\n    " _looked)
        if(_looked)
            string(PREPEND _looked "\nNot complete:\n    ")
        endif()
        message(FATAL_ERROR "There is no static SentencePiece. Run tools/build-sentencepiece, "
            "or pass -Dwhynot_SENTENCEPIECE_ROOT=FOLDER, a folder with lib/libsentencepiece.a, "
            "lib/libsentencepiece_train.a and include/.${_looked}")
    endif()
    return()
endif()

if(NOT SentencePieceStatic_FIND_QUIETLY)
    message(STATUS "Found static SentencePiece: ${_root}")
endif()

# Global, so that whoever links our plugin's objects from another folder (the tests do) sees it too.
add_library(whynot_sentencepiece INTERFACE IMPORTED GLOBAL)
target_include_directories(whynot_sentencepiece INTERFACE "${_root}/include") # of an imported target, hence SYSTEM
target_link_libraries(whynot_sentencepiece INTERFACE # the trainer calls the processor, the linker reads left to right
    "${_root}/lib/libsentencepiece_train.a" "${_root}/lib/libsentencepiece.a" PkgConfig::whynot_protobuf Threads::Threads)
# A plugin must not export what it took in: another library's SentencePiece would bind to it.
target_link_options(whynot_sentencepiece INTERFACE "LINKER:--exclude-libs,ALL")
