extern "C" __attribute__((visibility("default"))) int gone() { return 0; }
