#pragma once

/// What the tests of the text plugin read: lines of our own making, and real corpora where WHYNOT_CORPORA names them.

#include <string>
#include <vector>

#include "corpora/real.h"

namespace whynot::test {

/// Sentences tokenised in the corpus's manner.
inline const std::vector<std::string>& tokenised_lines() {
    static const std::vector<std::string> lines = {
        "the food was gross .",
        "we did n't wait long , and it 's worth $ _num_ !",
        "i ca n't say enough -- they wo n't be back ... ever .",
        "`` the best , '' she said ; ( i 'd agree ) .",
        "our friends ' table at _num_ : good , but the dr. was late ?",
        "waited _num_ 1/2 hours for a check-in at 9:30 and/or 3pm .",
        "_num_ % off @ joe 's & co : # _num_ = a+ w/ rice , 24/7 .",
        "i 'm gon na say it can not get better , y'all 've got ta try 'em !",
        "they 'll tell you that you 're wrong at o'clock - c'mon .",
        ": ) a ***** place [ really ]",
    };
    return lines;
}

/// Texts as people type them.
inline const std::vector<std::string>& typed_texts() {
    static const std::vector<std::string> lines = {
        "The food wasn't bad, but I'll NEVER go back!!",
        "GROSS FOOD. DON'T GO!",
        "She said \"the food's gross.\" (I agree!)",
        "  “Great” place — can’t wait… $10.99 for 2½ tacos?! ",
        "I shouldn't've gone... Dr. Smith's cannot be my friends' favourite; 10% off @ 5:30pm.",
        "love it \xE2\x9D\xA4\xEF\xB8\x8F\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD so *good*, #1 for B&B",
        "Ünïcode Straße СПАСИБО, merci!",
        "it 's ok , i did n't mind .",
        "'Nice' people--really nice people/staff\tand a check-in.",
        "寿司はとても美味しかったです! อาหารอร่อยมาก",
        "bad",
    };
    return lines;
}

}  // namespace whynot::test
