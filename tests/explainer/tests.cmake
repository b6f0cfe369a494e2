# From question to explanation, on the plugin points: its boundaries are lines, so every answer can be worked out by hand.
whynot_unit_test(explainer whynot nlohmann_json::nlohmann_json)
target_compile_definitions(explainer_test PRIVATE WHYNOT_TEST_PLUGINS="${CMAKE_BINARY_DIR}/tests/plugins")
add_dependencies(explainer_test points)
