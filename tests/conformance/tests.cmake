# The conformance kit: that it finds each fault, and that the plugins points, text and image (see there) have none.
set(whynot_conformance_plugins ${CMAKE_BINARY_DIR}/tests/plugins/conformance)
whynot_add_plugin(faulty conformance/faulty.cpp OUTPUT_DIRECTORY ${whynot_conformance_plugins})
whynot_warnings(faulty)

whynot_unit_test(conformance whynot nlohmann_json::nlohmann_json)
target_compile_definitions(conformance_test PRIVATE
    WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>" WHYNOT_TEST_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins"
    WHYNOT_FAULTY_PLUGIN="$<TARGET_FILE:faulty>")
add_dependencies(conformance_test whynot_program points faulty broken_plugins)

# The pack of points is made when the tests are built, for the same checks under ctest as everybody's plugins go through.
add_executable(write_points_pack conformance/write_points_pack.cpp)
target_include_directories(write_points_pack PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(write_points_pack PRIVATE whynot_core)
set_target_properties(write_points_pack PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
whynot_warnings(write_points_pack)
set(points_pack ${CMAKE_BINARY_DIR}/tests/packs/points)
add_custom_command(TARGET write_points_pack POST_BUILD COMMAND write_points_pack ${points_pack} COMMENT "Writing the pack points" VERBATIM)
whynot_add_conformance(points PACK ${points_pack})

# And as a GoogleTest suite, all of it in one process.
add_executable(points_suite conformance/points_suite.cpp)
target_compile_definitions(points_suite PRIVATE WHYNOT_POINTS_PLUGIN="$<TARGET_FILE:points>" WHYNOT_POINTS_PACK="${points_pack}")
target_link_libraries(points_suite PRIVATE whynot GTest::gtest_main)
set_target_properties(points_suite PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
whynot_warnings(points_suite)
add_dependencies(points_suite points write_points_pack)
add_test(NAME conformance.suite COMMAND points_suite)
set_tests_properties(conformance.suite PROPERTIES TIMEOUT 300 ENVIRONMENT OMP_NUM_THREADS=1)
