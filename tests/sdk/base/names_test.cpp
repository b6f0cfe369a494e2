#include "base/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace whynot::base;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> intents() {
    std::vector<std::string> names{"card_declined", "report_lost_card", "Translate", "translated"};
    for (int i = 0; i < 146; ++i) names.push_back("intent" + std::to_string(i));
    return names;
}

TEST(Names, AreAllToldWhereTheyAreFew) {
    EXPECT_EQ(some_of({"a", "b", "c"}), "a, b, c");
    EXPECT_EQ(choice_of("d", {"a", "b", "c"}), "a, b, c");
    EXPECT_EQ(some_of({}), "");
}

TEST(Names, OfManySomeAreToldAndHowManyMoreThereAre) {
    EXPECT_THAT(some_of(intents()), StartsWith("card_declined, report_lost_card, "));
    EXPECT_THAT(some_of(intents()), EndsWith("intent5 and 140 more"));
}

TEST(Names, ThatAreLikeWhatWasWantedComeFirst) {
    EXPECT_THAT(names_like("card_decline", intents()), ElementsAre("card_declined"));
    EXPECT_THAT(names_like("TRANSLATE", intents()), ElementsAre("Translate", "translated")) << "case does not count";
    EXPECT_THAT(names_like("lost", intents()), ElementsAre("report_lost_card")) << "what contains it";
    EXPECT_THAT(names_like("weather forecast", intents()), IsEmpty());
    EXPECT_THAT(names_like("", intents()), IsEmpty());
    EXPECT_THAT(choice_of("card_decline", intents()), StartsWith("card_declined or another of 150: "));
    EXPECT_THAT(choice_of("weather forecast", intents()), StartsWith("150: card_declined, "));
}

}  // namespace
