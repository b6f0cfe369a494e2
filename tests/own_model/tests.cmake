# A model of one's own, the whole way: the program itself, with the plugins as built, every command of docs/your-own-model.md, and
# docs/export_model.py where there is python3-torch.
whynot_unit_test(own_model whynot whynot_image_reading nlohmann_json::nlohmann_json ZLIB::ZLIB)
target_compile_definitions(own_model_test PRIVATE WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>"
                                                  WHYNOT_EXPORT_SCRIPT="${PROJECT_SOURCE_DIR}/docs/export_model.py"
                                                  WHYNOT_OWN_MODEL_PAGE="${PROJECT_SOURCE_DIR}/docs/your-own-model.md")
add_dependencies(own_model_test whynot_program image text)
