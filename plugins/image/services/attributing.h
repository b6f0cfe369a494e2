#pragma once

#include <vector>

#include "whynot/attribution.h"

namespace whynot::image {

/// The service `whynot.attribution/1` for images: the methods of image/attribution/maps.h, and each map as a picture. With a folder to write to, NAME/map.png
/// has it over the greyed input, red where the score is positive, blue where it is negative, and NAME/sheet.png both with names and numbers.
class ImageAttribution : public Attribution {
public:
    std::vector<AttributionMethod> methods() const override;
    std::vector<AttributionMap> attribute(Model& model, Batch& batch, const AttributionRequest& request) override;
};

}  // namespace whynot::image
