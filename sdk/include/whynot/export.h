#ifndef WHYNOT_EXPORT_H
#define WHYNOT_EXPORT_H

/// Marks what the shared libraries export. Everything else is hidden.
#define WHYNOT_API __attribute__((visibility("default")))

#endif
