#ifndef PLATFORM_HPP_
#define PLATFORM_HPP_

#include <cstdint>

// One library for all processors of a kind: loops exist once for every machine and once for those
// with AVX2, and the loader chooses. On ARM NEON is always there.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define RTRACK_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define RTRACK_CLONES
#endif
// What a clone calls must become a part of it, or it stays without the clone's instructions.
#define RTRACK_INLINE inline __attribute__((always_inline))

#endif  // PLATFORM_HPP_
