#include "whynot/atomic_file.h"

#include "base/atomic_file.h"

namespace whynot {

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
    base::AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

}  // namespace whynot
