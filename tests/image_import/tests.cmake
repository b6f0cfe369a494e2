whynot_unit_test(image_import whynot_image_rooms)
target_link_libraries(image_import_test PRIVATE ZLIB::ZLIB) # corpora/toy_files.h
