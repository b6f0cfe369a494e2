# The plugin boundary. points is a plugin as anybody would write it, the tests of the explainer use it too; the broken ones come from one
# source, each with one fault.
set(whynot_test_plugins ${CMAKE_BINARY_DIR}/tests/plugins)

whynot_add_plugin(points plugin/points.cpp OUTPUT_DIRECTORY ${whynot_test_plugins})
whynot_warnings(points)

function(whynot_broken_plugin fault)
    add_library(broken_${fault} MODULE plugin/broken.cpp)
    target_compile_definitions(broken_${fault} PRIVATE FAULT_${fault} FAULT_NAME="${fault}")
    target_include_directories(broken_${fault} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_include_directories(broken_${fault} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS}) # the version macro; nothing is linked
    target_link_libraries(broken_${fault} PRIVATE whynot_core)
    set_target_properties(broken_${fault} PROPERTIES PREFIX "" OUTPUT_NAME ${fault}
                                                     LIBRARY_OUTPUT_DIRECTORY ${whynot_test_plugins}/broken)
    whynot_warnings(broken_${fault})
endfunction()

set(faults none abi torch symbol null short stamp field bounds init_throws init_fails service_throws service_missing service_crashes twin
    dependency exports crashes hangs)
foreach(fault ${faults})
    whynot_broken_plugin(${fault})
endforeach()
list(TRANSFORM faults PREPEND broken_)
add_custom_target(broken_plugins DEPENDS ${faults})

# A library that is there when the plugin is linked and, by its SONAME, never when it is loaded.
add_library(whynot_test_gone SHARED plugin/gone.cpp)
set_target_properties(whynot_test_gone PROPERTIES NO_SONAME ON LIBRARY_OUTPUT_DIRECTORY ${whynot_test_plugins}/gone)
target_link_options(whynot_test_gone PRIVATE "LINKER:-soname,libgone_on_purpose.so.7")
target_link_libraries(broken_dependency PRIVATE whynot_test_gone)

whynot_unit_test(plugin whynot_core)
whynot_unit_test(plugin_service whynot)
foreach(program plugin_test plugin_service_test)
    target_compile_definitions(${program} PRIVATE WHYNOT_TEST_PLUGINS="${whynot_test_plugins}")
    add_dependencies(${program} points broken_plugins)
endforeach()
