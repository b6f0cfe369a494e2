#include "console/json.h"

#include "console/terminal.h"

namespace whynot::cli {

void print_line(const base::Json& object) { print(object.dump(-1, ' ', false, base::Json::error_handler_t::replace) + '\n'); }

}  // namespace whynot::cli
