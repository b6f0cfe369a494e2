# Needs link-grammar's dictionary, as the experiment does.
whynot_unit_test(text_biased whynot_text_rooms)
target_compile_definitions(text_biased_test PRIVATE WHYNOT_BUILT_PACKS="${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_DATADIR}/whynot/packs")
