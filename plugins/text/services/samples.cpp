#include "text/services/samples.h"

namespace whynot::text {

SampleSet TextSamples::samples(const Pack& pack) {
    const bool opinions = pack.manifest().classes == std::vector<std::string>{"negative", "positive"};
    if (!opinions) return {{{"i lost my card", ""}, {"set an alarm for six", ""}, {"what is the weather like today", ""}}, 0.02};
    return {{{"the food was gross .", ""}, {"loved our experience .", ""}, {"they have the best service in town .", ""}}, 0.02};
}

}  // namespace whynot::text
