foreach(room words tokenizer corpus)
    whynot_unit_test(text_${room} whynot_text_reading)
endforeach()
target_link_libraries(text_corpus_test PRIVATE ZLIB::ZLIB) # it writes gzip files to read
