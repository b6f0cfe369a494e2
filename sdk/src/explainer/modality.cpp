#include "whynot/modality.h"

#include "whynot/attribution.h"
#include "whynot/held_out.h"
#include "whynot/import.h"
#include "whynot/train.h"

namespace whynot {

// The key functions of the interfaces stand here, so that each type has one home on both sides of the plugin boundary.
Batch::~Batch() = default;
Model::~Model() = default;
Modality::~Modality() = default;
Trainer::~Trainer() = default;
Evaluator::~Evaluator() = default;
Importer::~Importer() = default;
HeldOut::~HeldOut() = default;
Attribution::~Attribution() = default;

at::Tensor Batch::extra_starts(const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t, uint64_t) { return {}; }

std::vector<Strangeness> Batch::strangeness() const { return {}; }

std::vector<std::string> Batch::warnings(int64_t) const { return {}; }

}  // namespace whynot
