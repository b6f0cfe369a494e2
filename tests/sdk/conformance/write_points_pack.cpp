// write_points_pack FOLDER: the pack of the plugin points, for checks outside test programs.
#include "support/points_pack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::filesystem::remove_all(argv[1]);
    whynot::test::write_points_pack(argv[1]);
}
