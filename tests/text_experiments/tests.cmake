# What the experiments on text measure with, and the experiments themselves, through the program. They need link-grammar's dictionary and the packs.
foreach(room text_attribution text_word_images text_experiments)
    whynot_unit_test(${room} whynot_text_rooms)
endforeach()
target_compile_definitions(text_experiments_test PRIVATE WHYNOT_PROGRAM="$<TARGET_FILE:whynot_program>"
                                                         WHYNOT_BUILT_PACKS="${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_DATADIR}/whynot/packs")
add_dependencies(text_experiments_test whynot_program text)
