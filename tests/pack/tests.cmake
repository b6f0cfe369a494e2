# With the private headers: the helpers of sdk/src/core are tested here too, where they are used most.
find_package(nlohmann_json REQUIRED)
whynot_unit_test(pack whynot_core nlohmann_json::nlohmann_json)
target_include_directories(pack_test PRIVATE ${PROJECT_SOURCE_DIR}/sdk/src)
