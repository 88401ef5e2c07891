// A port checks no assertions, as C's do not where NDEBUG is defined.
#pragma once
#define assert(condition) ((void)0)
