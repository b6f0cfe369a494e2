# What the experiments on text measure with.
whynot_unit_test(text_attribution whynot_text_rooms)
