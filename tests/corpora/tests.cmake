# Manifests, files, and images of corpora; the tests write gzip files to read.
foreach(room corpora_manifest corpora_images)
    whynot_unit_test(${room} whynot_corpora ZLIB::ZLIB)
endforeach()
whynot_unit_test(corpora_fetch whynot_corpora_fetch ZLIB::ZLIB)
whynot_unit_test(corpora_bias whynot_corpora_bias ZLIB::ZLIB)
