#include "training/pack_contents.h"

#include <gtest/gtest.h>

#include "training/checkpoint.h"
#include "whynot/version.h"

namespace whynot::training {
namespace {

TEST(Manifest, IsNamedAfterTheFolder) {
    for (const char* folder : {"packs/mine", "packs/mine/", "mine"}) {
        const PackManifest manifest = manifest_for(folder, "text", {"no", "yes"}, 7);
        EXPECT_EQ(manifest.id, "mine") << folder;
        EXPECT_EQ(manifest.modality, "text");
        EXPECT_EQ(manifest.plugin_id, "text");
        EXPECT_EQ(manifest.plugin_version, WHYNOT_VERSION);
        EXPECT_EQ(manifest.classes, (std::vector<std::string>{"no", "yes"}));
        EXPECT_EQ(manifest.seed, 7u);
    }
}

TEST(Manifest, FiguresKeepTheirOrder) {
    Figures figures;
    EXPECT_EQ(figures.json().dump(), "[]");
    figures.add("accuracy", 0.5, 12, "share");
    figures.add("distance", 3, 4, "latent");
    EXPECT_EQ(figures.json().dump(),
              R"([{"name":"accuracy","value":0.5,"n":12,"unit":"share"},{"name":"distance","value":3.0,"n":4,"unit":"latent"}])");
}

// The names of files that users have kept: FNV-1a's published values of "" and "foobar".
TEST(CacheName, IsTheHashOfTheIdentity) {
    EXPECT_EQ(cache_name("judge", ""), "judge-cbf29ce484222325.safetensors");
    EXPECT_EQ(cache_name("yardstick", "foobar"), "yardstick-85944171f73967e8.safetensors");
    EXPECT_NE(cache_name("judge", "a"), cache_name("judge", "b"));
}

}  // namespace
}  // namespace whynot::training
