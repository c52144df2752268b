#include "platform.hpp"

// Raised with every change of what Python calls; rtrack_ros/tracking/compiled.py has the same.
extern "C" std::int32_t rtrack_core_version() {return 1;}
