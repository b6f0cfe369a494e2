#pragma once

#include <string>

#include "whynot/explanation.h"

inline whynot::Explanation found_text() {
    whynot::Explanation e;
    e.id = "q1";
    e.question = {"text", "the food was gross .", "", "negative", "positive"};
    e.pack = {"yelp", "1", std::string(64, 'a')};
    e.solver = {"sqp", R"({"starts":2})", 18446744073709551615u, 2, "cpu"};
    e.status = "found";
    e.gap = 0.1 + 0.2;
    e.distance = whynot::Explanation::Distance{4.2105, R"({"edits":1,"edit_ratio":0.2})"};
    e.probabilities.before = {{"negative", 0.9976}, {"positive", 0.0024}};
    e.probabilities.boundary = {{"negative", 0.5}, {"positive", 0.5}};
    e.probabilities.answer = {{"negative", 0.019}, {"positive", 0.981}};
    e.rendering =
        R"({"before":"the food was gross .","answer":"the food was great .","edits":[{"position":3,"from":"gross","to":"great"}],)"
        R"("contributions":[{"position":3,"word":"gross","before":-6.1,"boundary":0.2}]})";
    e.cost = {23, 11, whynot::Explanation::Seconds{0.01, 0.05, 0.04, 0.02}};
    e.warnings = {"'zzz' is unknown to the model"};
    return e;
}

inline whynot::Explanation refused_text() {
    whynot::Explanation e;
    e.id = "q2";
    e.question = {"text", "", "", "", ""};
    e.pack = {"yelp", "1", std::string(64, 'a')};
    e.solver.method = "sqp";
    e.status = "refused";
    e.reason = "the text is empty";
    return e;
}

inline whynot::Explanation found_image() {
    whynot::Explanation e = found_text();
    e.question = {"image", "digits/3.png", std::string(64, 'b'), "3", "8"};
    e.pack.id = "mnist";
    e.max_third = whynot::Explanation::MaxThird{"5", -1.25};
    e.distance = whynot::Explanation::Distance{1.5, R"({"l1":10.5,"l2":2.25,"linf":0.75})"};
    e.probabilities = {{{"3", 0.9}, {"5", 0.02}, {"8", 0.08}}, {{"3", 0.45}, {"5", 0.1}, {"8", 0.45}}, {}};
    e.rendering = R"({"input":"3-input.png","boundary":"3-boundary.png"})";
    e.warnings.clear();
    return e;
}
