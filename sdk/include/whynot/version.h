#ifndef WHYNOT_VERSION_H
#define WHYNOT_VERSION_H

/// The version of the SDK, by semantic versioning. Written here once: the build, the program and the packs read it.
#define WHYNOT_VERSION "0.1.0"

#endif
