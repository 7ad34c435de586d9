#include "../cts.h"

const struct cts_exception cts_expect_hip[] = {{0}};
