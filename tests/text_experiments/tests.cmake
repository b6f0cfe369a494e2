# What the experiments on text measure with.
foreach(room text_attribution text_word_images)
    whynot_unit_test(${room} whynot_text_rooms)
endforeach()
