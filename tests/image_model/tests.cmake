whynot_unit_test(image_networks whynot_image_rooms)
whynot_unit_test(image_model whynot_image_rooms)
target_link_libraries(image_model_test PRIVATE ZLIB::ZLIB) # corpora/toy_files.h
