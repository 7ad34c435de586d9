#include "../cts.h"

const struct cts_exception cts_expect_vulkan[] = {
    {"buffer.wrap", true, "the host's memory is not a buffer's memory on a GPU"},
    {0},
};
