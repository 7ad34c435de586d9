#include "../cts.h"

const struct cts_exception cts_expect_cpu[] = {{0}};
