#pragma once

// SOTER_SIMD_CLONES compiles a function for AVX-512, for AVX2 and for any x86-64, and picks one when the program
// starts. Sanitizers do not support the resolver, so under them there is one version.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SOTER_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SOTER_SIMD_CLONES
#endif
