# The text plugin's rooms that know the language: language models, the search for an answer.
foreach(room text_language_model text_answer)
    whynot_unit_test(${room} whynot_text_rooms)
endforeach()
