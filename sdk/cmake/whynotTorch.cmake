# LibTorch as the target whynot::torch, and its version as whynot_torch_version. Included after find_package(Torch), by this tree and by
# an installation's whynotConfig.cmake alike.
#
# LibTorch's own target `torch` lowers the language standard and shows its headers as anybody's; this one does neither. The version is
# that of its header, with which plugins are stamped; a package may call itself otherwise (Debian 12: header 1.13.0, package 1.13.1).

if(NOT TARGET whynot::torch)
    add_library(whynot::torch INTERFACE IMPORTED)
    target_include_directories(whynot::torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
    target_link_libraries(whynot::torch INTERFACE ${TORCH_LIBRARIES})
    target_compile_features(whynot::torch INTERFACE cxx_std_17)
    separate_arguments(whynot_torch_flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
    target_compile_options(whynot::torch INTERFACE ${whynot_torch_flags})
endif()

set(whynot_torch_version "")
foreach(folder IN LISTS TORCH_INCLUDE_DIRS)
    if(EXISTS ${folder}/torch/version.h)
        file(STRINGS ${folder}/torch/version.h lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
        list(TRANSFORM lines REPLACE ".* " "")
        list(JOIN lines "." whynot_torch_version)
    endif()
endforeach()
